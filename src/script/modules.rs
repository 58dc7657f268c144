//! Where does `import "name" as n;` look? Beside the script that imports, in the working folder, in its `scripts/`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::api::thrown;
use super::failure::near;
use super::session::{Sources, locked};
use crate::error::Error;
use crate::files;

/// A module, and when its file was written.
type Known = (Option<SystemTime>, Shared<Module>);

pub(super) struct Scripts {
    sources: Sources,
    /// What was imported, with the file's time: a changed file is read again.
    known: Mutex<HashMap<PathBuf, Known>>,
    /// What is being imported now, so that modules which import each other end in an error.
    loading: Mutex<Vec<PathBuf>>,
}

impl Scripts {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, known: Mutex::default(), loading: Mutex::default() }
    }

    /// The file of a module, and its text.
    pub(super) fn find(importer: Option<&str>, name: &str) -> Result<(PathBuf, String), Error> {
        let beside = importer.and_then(|importer| files::home_of(Path::new(importer)));
        let folders: Vec<&Path> = beside.into_iter().chain([Path::new(""), Path::new("scripts")]).collect();
        let file = if name.ends_with(".rhai") { name.to_string() } else { format!("{name}.rhai") };
        for folder in &folders {
            let path = folder.join(&file);
            if beside == Some(*folder) && files::lies_beside(folder, &path) {
                let text = files::read_trusted(&path)?;
                return Ok((path, text));
            }
            if files::is_file(&path) {
                let text = files::read_text(&path)?;
                return Ok((path, text));
            }
        }
        files::allowed(Path::new(&file))?;
        let here = |folder: &&Path| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            files::list(folder).unwrap_or_default()
        };
        let scripts = folders.iter().flat_map(here).filter(|path| path.extension().is_some_and(|e| e == "rhai"));
        let names: Vec<String> =
            scripts.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
        let near = near(name, names.iter().map(String::as_str));
        Err(Error::usage(format!(
            "there is no script {file} to import, neither beside the importing one nor here nor in scripts/{near}"
        )))
    }
}

impl ModuleResolver for Scripts {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        name: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let failed = |error: Error| {
            let mut error = thrown(error);
            error.set_position(position);
            error
        };
        let (path, text) = Self::find(source, name).map_err(failed)?;
        let time = files::changed(&path);
        if let Some((known, module)) = locked(&self.known).get(&path)
            && *known == time
        {
            return Ok(module.clone());
        }
        if locked(&self.loading).contains(&path) {
            return Err(failed(Error::usage(format!("{} imports itself", path.display()))));
        }
        let place = path.display().to_string();
        locked(&self.sources).insert(place.clone(), text.clone());
        let inside = |error: Box<EvalAltResult>| Box::new(EvalAltResult::ErrorInModule(place.clone(), error, position));
        let mut ast = engine.compile(&text).map_err(|error| inside(error.into()))?;
        ast.set_source(place.as_str());
        locked(&self.loading).push(path.clone());
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(inside);
        locked(&self.loading).pop();
        let module: Shared<Module> = module?.into();
        locked(&self.known).insert(path, (time, module.clone()));
        Ok(module)
    }
}
