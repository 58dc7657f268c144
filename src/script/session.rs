//! A script, a line at a prompt, a cell of a notebook: text that runs with the variables of the texts before it.
//!
//! A [`Session`] keeps variables, functions and imports from one text to the next, works within limits and a sandbox,
//! and reports errors with place and reason. What it prints, shows and asks goes to its [`Surface`].

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Scope};

use super::api::{Answer, thrown};
use super::asked::Asked;
use super::failure::{Context, Failure};
use super::memory::{self, Watch};
use super::modules::Scripts;
use super::shown::Shown;
use crate::error::{Error, Result};
use crate::files;
use crate::job::{self, Fence, Job, Most, Workers};
use crate::progress;

/// What a script may use up, verbs included where not said otherwise. An endless loop, a recursion without an end and
/// an array without bounds end in an error.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Operations of the script itself; what a verb does is not counted.
    pub operations: u64,
    /// Maximum call depth of functions.
    pub depth: usize,
    /// Values in an array, characters in a text, that one call may make.
    pub size: usize,
    /// Bytes that the process may take while a text runs, what verbs hold among them; never more than a third of
    /// what the machine, or the container, has, nor a quarter of what the system has left the process.
    pub memory: usize,
    /// Seconds that a text may run.
    pub seconds: u64,
    /// Seconds of these that it may sleep.
    pub asleep: u64,
    /// Seconds that a query to a database may take.
    pub query_seconds: u64,
    /// Rows that it may answer.
    pub query_rows: u64,
    /// Bytes that a session may write.
    pub disk: u64,
    /// Files that a session may write.
    pub files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 1_000_000_000,
            depth: 200,
            size: 10_000_000,
            memory: 4 << 30,
            seconds: 24 * 3600,
            asleep: 3600,
            query_seconds: 600,
            query_rows: 20_000_000,
            disk: 50 << 30,
            files: 100_000,
        }
    }
}

/// How deep functions may call each other where nothing else is limited: what the stack holds.
const DEEPEST: usize = 5_000;
/// The stack of the thread that runs a script, in bytes; only what is used of it is taken from the machine.
pub(super) const STACK: usize = 1 << 30;
/// The same where functions may call each other no deeper than is usual.
pub(super) const SHALLOW: usize = 128 << 20;
/// As deep as that.
const USUAL: usize = 500;

/// What a session starts with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The limits; none for a script that is trusted to end.
    pub limits: Option<Limits>,
    /// Folders below which files may be read and written, besides the working folder and the one that `TRADEWIND_DATA`
    /// names.
    pub allow: Vec<PathBuf>,
    /// Databases that may be asked, by the names that their URLs give them: `host`, `host:port`, `host/database` or
    /// `host:port/database`, without user and password.
    pub allow_databases: Vec<String>,
    /// May files be replaced that Tradewind has not written? What is read is never replaced.
    pub overwrite: bool,
    /// Names and values of the script's `args`.
    pub args: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Some(Limits::default()),
            allow: Vec::new(),
            allow_databases: Vec::new(),
            overwrite: false,
            args: Vec::new(),
        }
    }
}

/// Where a session's output goes and its questions are answered.
pub trait Surface: Send + Sync {
    /// A line that the script prints.
    fn print(&self, text: &str);
    /// A line for whoever debugs the script.
    fn debug(&self, text: &str);
    /// A value that the script shows.
    fn show(&self, shown: &Shown);
    /// Asks the user for a line.
    ///
    /// # Errors
    /// When there is nobody to answer.
    fn ask(&self, prompt: &str) -> Result<String>;
}

/// Text after text, with what came before still known.
///
/// ```
/// use tradewind::script::{Session, Settings, Terminal};
/// let mut session = Session::new(&Settings::default(), Terminal::new())?;
/// session.run("one", "let a = 20; fn double(x) { 2 * x }").unwrap();
/// assert_eq!(session.run("two", "double(a) + 2").unwrap().text(), "42");
/// let failure = session.run("three", "a + missing").unwrap_err();
/// assert_eq!(failure.place.unwrap().to_string(), "three, line 1, column 5");
/// # Ok::<(), tradewind::Error>(())
/// ```
pub struct Session {
    engine: Engine,
    scope: Scope<'static>,
    functions: AST,
    /// The import statements of earlier texts, in one line: Rhai forgets modules after each text.
    imports: String,
    sources: Sources,
    limits: Option<Limits>,
    fence: Arc<Fence>,
    job: Job,
    workers: Workers,
}

/// The texts of scripts and modules, for the lines that errors show.
pub(super) type Sources = Arc<Mutex<HashMap<String, String>>>;

/// A lock whose data are whole even when a thread has panicked while holding it.
pub(super) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `exit(code)` ends a script with.
#[derive(Clone)]
pub(super) struct Exit(pub(super) i64);

impl Session {
    /// A session with nothing in it but `args`.
    ///
    /// # Errors
    /// When an allowed folder does not exist.
    pub fn new(settings: &Settings, surface: impl Surface + 'static) -> Result<Self> {
        let home = std::env::current_dir().map_err(|cause| Error::io("there is no working folder").because(cause))?;
        let data = std::env::var_os("TRADEWIND_DATA").map(PathBuf::from).filter(|folder| files::is_folder(folder));
        let fence = Fence::around([home].into_iter().chain(data).chain(settings.allow.iter().cloned()))?
            .with_databases(settings.allow_databases.iter().cloned());
        let limits =
            settings.limits.clone().map(|limits| Limits { memory: memory::within_reach(limits.memory), ..limits });
        let fence = Arc::new(match &limits {
            Some(limits) => fence.with_limits(Most {
                disk: limits.disk,
                files: limits.files,
                memory: limits.memory as u64,
                asleep: limits.asleep,
                seconds: limits.query_seconds,
                rows: limits.query_rows,
            }),
            None => fence,
        });
        let mut engine = super::engine();
        let held = fence.clone();
        // A script that is interrupted stops at its next operation; a long verb asks by itself.
        engine.on_progress(move |count| {
            let over = held.stopped().is_some() || (count % 64 == 0 && job::is_over());
            over.then(|| Dynamic::from(Error::interrupted()))
        });
        let deep = limits.as_ref().is_none_or(|limits| limits.depth > USUAL);
        let job = Job::behind(fence.clone());
        if settings.overwrite {
            job.guard().allow_all();
        }
        let workers = Workers::of(job.clone(), if deep { STACK } else { SHALLOW })?;
        let sources = Sources::default();
        match &limits {
            Some(limits) => {
                engine.set_max_operations(limits.operations).set_max_call_levels(limits.depth);
                memory::refuse(&mut engine, limits.size);
            }
            None => {
                engine.set_max_call_levels(DEEPEST);
            }
        }
        engine.set_strict_variables(true);
        engine.set_module_resolver(Scripts::new(sources.clone()));
        talk(&mut engine, Arc::new(surface));
        let mut scope = Scope::new();
        let args: Map = settings.args.iter().map(|(name, value)| (name.into(), Dynamic::from(value.clone()))).collect();
        scope.push_constant("args", args);
        let (functions, imports) = (AST::empty(), String::new());
        Ok(Self { engine, scope, functions, imports, sources, limits, fence, job, workers })
    }

    /// Runs a text, known as `source` in errors, and returns the value of its last expression.
    ///
    /// # Errors
    /// When it does not compile, fails or is interrupted; what it had defined until then stays.
    pub fn run(&mut self, source: &str, text: &str) -> std::result::Result<Shown, Box<Failure>> {
        locked(&self.sources).insert(source.into(), text.into());
        let whole = format!("{}{text}", self.imports);
        let mut ast = match self.engine.compile_with_scope(&self.scope, &whole) {
            Ok(ast) => ast,
            Err(error) => return Err(self.explain(source, None, |context| context.parse(&error)).into()),
        };
        if let Some(clash) = clash(&ast, text) {
            return Err(clash.into());
        }
        ast.set_source(source);
        let ast = self.functions.merge(&ast);
        self.fence.begin();
        let watch = self.limits.as_ref().map(|limits| Watch::begin(limits, &self.fence));
        let (engine, scope) = (&self.engine, &mut self.scope);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            self.workers.run(|| engine.eval_ast_with_scope::<Dynamic>(scope, &ast)).map_err(thrown)?
        }));
        drop(watch);
        self.functions = ast.clone_functions_only();
        let ran = ran.unwrap_or_else(|panic| {
            let why =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(thrown(
                Error::model("a fault in tradewind itself, please report it").because(why.unwrap_or("no reason given")),
            ))
        });
        match ran {
            Ok(value) => {
                self.imports += &imports(text);
                Ok(Shown::of(value))
            }
            // `exit` inside a function without a name arrives as that function's error.
            Err(error) => match error.unwrap_inner() {
                EvalAltResult::Exit(value, _) => Ok(Shown::of(value.clone())),
                _ => Err(self.explain(source, Some(&ast), |context| context.run(&error)).into()),
            },
        }
    }

    /// Keeps a file that the text came from from being written over.
    pub(super) fn came_from(&self, path: &Path) {
        self.job.guard().reads(path);
    }

    /// Refuses arguments that a script, known as `source`, never asks for, nor what it imports.
    pub(super) fn check_args(&self, source: &str, text: &str, args: &[(String, String)]) -> Result<()> {
        if args.is_empty() {
            return Ok(());
        }
        // Behind the fence, as the imports themselves.
        self.workers.run(|| {
            let mut asked = Asked::default();
            asked.read(text);
            let mut known: Vec<PathBuf> = Vec::new();
            let mut open: Vec<(String, String)> = Vec::new();
            let mut importer = source.to_string();
            loop {
                open.extend(std::mem::take(&mut asked.imports).into_iter().map(|name| (importer.clone(), name)));
                let Some((by, name)) = open.pop() else { break };
                match Scripts::find(Some(&by), &name) {
                    Ok((path, _)) if known.contains(&path) => {}
                    Ok((path, module)) => {
                        asked.read(&module);
                        importer = path.display().to_string();
                        known.push(path);
                    }
                    // What cannot be imported is said when the script runs.
                    Err(_) => asked.all = true,
                }
            }
            asked.check(source, args.iter().map(|(name, _)| name.as_str()))
        })?
    }

    fn explain(&self, source: &str, ast: Option<&AST>, explain: impl FnOnce(&Context) -> Failure) -> Failure {
        let functions = ast.unwrap_or(&self.functions).iter_functions().map(|function| function.to_string()).collect();
        let text = |name: &str| locked(&self.sources).get(name).cloned();
        explain(&Context {
            source,
            text: &text,
            shift: self.imports.chars().count(),
            variables: self.variables().into_iter().map(|(name, _)| name).collect(),
            functions,
            limits: self.limits.as_ref(),
            stopped: self.fence.stopped(),
        })
    }

    /// Is a text whole, or does it stop in the middle?
    pub fn is_complete(&self, text: &str) -> Completeness {
        match self.engine.compile_with_scope(&self.scope, format!("{}{text}", self.imports)) {
            Ok(_) => Completeness::Complete,
            Err(error) => {
                locked(&self.sources).insert(String::new(), text.into());
                if self.explain("", None, |context| context.parse(&error)).unfinished {
                    Completeness::Incomplete
                } else {
                    Completeness::Invalid
                }
            }
        }
    }

    /// The variables by name, with their types' names.
    pub fn variables(&self) -> Vec<(String, &'static str)> {
        let mut variables: Vec<(String, &'static str)> = Vec::new();
        for (name, _, value) in self.scope.iter_raw() {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_string(), super::type_name(value)));
        }
        variables
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<Shown> {
        self.scope.get(name).cloned().map(Shown::of)
    }

    /// The functions that were defined, as they are called: `double(x)`.
    pub fn functions(&self) -> Vec<String> {
        let named = self.functions.iter_functions().filter(|function| !function.name.contains('$'));
        named.map(|function| function.to_string()).collect()
    }
}

/// What [`Session::is_complete`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It can be run.
    Complete,
    /// More must follow.
    Incomplete,
    /// It is wrong, whatever follows.
    Invalid,
}

/// Runs `work` on a thread whose stack holds deep recursion.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = job::beside(scope, "script", Some(STACK), work)?;
        thread.join().map_err(|_| Error::model("a fault in tradewind itself, please report it"))
    })
}

/// The verbs that talk to whoever runs the script.
fn talk(engine: &mut Engine, surface: Arc<dyn Surface>) {
    let to = surface.clone();
    engine.on_print(move |text| to.print(text));
    let to = surface.clone();
    engine.on_debug(move |text, source, position| {
        let place = position.line().map_or_else(String::new, |line| format!("{}:{line}: ", source.unwrap_or("script")));
        to.debug(&format!("{place}{text}"));
    });
    let to = surface.clone();
    engine.register_fn("show", move |value: Dynamic| to.show(&Shown::of(value)));
    let ask = move |prompt: &str| -> Answer<ImmutableString> {
        progress::check()?;
        Ok(surface.ask(prompt)?.into())
    };
    engine.register_fn("input", ask.clone());
    engine.register_fn("input", move || ask(""));
    let exit = |context: &NativeCallContext, code: Dynamic| -> Answer<Dynamic> {
        match code.as_int() {
            Ok(code) if (0..256).contains(&code) => {
                Err(Box::new(EvalAltResult::Exit(Dynamic::from(Exit(code)), context.call_position())))
            }
            _ => Err(thrown(Error::usage(format!(
                "exit takes a whole number from 0 to 255, not {}",
                super::values::kind(&code)
            )))),
        }
    };
    engine.register_fn("exit", move |context: NativeCallContext| exit(&context, Dynamic::from_int(0)));
    engine.register_fn("exit", move |context: NativeCallContext, code: Dynamic| exit(&context, code));
    // Rhai's own, of both types, sleep through an interrupt.
    engine.register_fn("sleep", |seconds: i64| sleep(seconds as f64));
    engine.register_fn("sleep", sleep);
}

/// Waits, and looks for an interrupt now and then.
fn sleep(seconds: f64) -> Answer<()> {
    job::sleep(seconds)?;
    let begun = std::time::Instant::now();
    while begun.elapsed().as_secs_f64() < seconds {
        progress::check()?;
        let left = (seconds - begun.elapsed().as_secs_f64()).clamp(0.0, 0.02);
        std::thread::sleep(std::time::Duration::from_secs_f64(left));
    }
    Ok(())
}

/// A function that stands in for a verb: where a text calls both, Rhai takes the function for the verb.
fn clash(ast: &AST, text: &str) -> Option<Failure> {
    let verbs = super::Language::get().verbs();
    ast.iter_functions().find_map(|function| {
        let like = |verb: &&super::Verb| verb.name == function.name && verb.params.len() == function.params.len();
        let verb = verbs.iter().filter(|verb| verb.noun.is_some()).find(like)?;
        text.contains(&format!(".{}(", function.name)).then_some(())?;
        Some(Failure::of(format!(
            "the function `{function}` is called in the place of {}; give it another name",
            verb.call()
        )))
    })
}

/// The top-level import statements of a text, one after the other in one line.
fn imports(text: &str) -> String {
    let statements = text.lines().filter(|line| line.starts_with("import "));
    statements.filter_map(|line| Some(line.split_once(';')?.0)).fold(String::new(), |all, one| format!("{all}{one}; "))
}

#[cfg(test)]
mod tests {
    use super::super::Terminal;
    use super::*;

    fn said(home: &std::path::Path, limits: Limits, text: &str) -> String {
        let settings = Settings { limits: Some(limits), allow: vec![home.to_path_buf()], ..Settings::default() };
        let ran = Session::new(&settings, Terminal::new()).unwrap().run("cell", text);
        ran.map_or_else(|failure| failure.to_string(), |value| value.text())
    }

    #[test]
    fn disk_and_files_are_bounded() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().display();
        let many = format!("for i in 0..10 {{ table([#{{a: i}}]).save(`{place}/${{i}}.csv`); }}");
        let few = said(home.path(), Limits { files: 4, ..Limits::default() }, &many);
        assert!(few.contains("more than the limit of 4 files") && few.contains("line 1, column"), "{few}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 4);
        let large = format!(
            "let s = \"x\"; s.pad(1000000, \"x\"); for i in 0..9 {{ table([#{{a: s}}]).save(`{place}/l${{i}}.csv`); }}"
        );
        let large = said(home.path(), Limits { disk: 3 << 20, ..Limits::default() }, &large);
        assert!(large.contains("more than the limit of 3 MB"), "{large}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 7);
    }

    #[test]
    fn time_is_bounded_also_within_verbs() {
        let home = tempfile::tempdir().unwrap();
        let limits = || Limits { seconds: 1, ..Limits::default() };
        // A million rounds take minutes, however fast the machine.
        let fits = r#"read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"))
            .backtest("boost(num_rounds=1000000)", folds(1, 8))"#;
        for text in ["loop {}", "sleep(100)", fits, "loop { try { sleep(100) } catch { } }"] {
            let said = said(home.path(), limits(), text);
            assert!(said.contains("more time than the limit of 1 seconds"), "{text}: {said}");
        }
        assert_eq!(said(home.path(), limits(), "1 + 1"), "2");
        assert!(
            said(home.path(), Limits { asleep: 1, ..Limits::default() }, "sleep(0.6); sleep(0.6)")
                .contains("sleeps longer")
        );
    }

    #[test]
    fn a_session_in_a_session_is_held_by_both() {
        struct Inner(std::path::PathBuf, std::path::PathBuf);
        impl Surface for Inner {
            fn print(&self, text: &str) {
                let settings = Settings { allow: vec![self.0.clone()], ..Settings::default() };
                let ran = Session::new(&settings, Terminal::new()).unwrap().run("inner", text);
                std::fs::write(&self.1, ran.map_or_else(|failure| failure.to_string(), |value| value.text())).unwrap();
            }
            fn debug(&self, _: &str) {}
            fn show(&self, _: &Shown) {}
            fn ask(&self, _: &str) -> Result<String> {
                Ok(String::new())
            }
        }
        let (wide, told) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, told) = (wide.path().join("x.csv"), told.path().join("told"));
        let surface = Inner(wide.path().to_path_buf(), told.clone());
        let text = format!("print(`table([#{{a: 1}}]).save({file:?})`)");
        Session::new(&Settings::default(), surface).unwrap().run("outer", &text).unwrap();
        let said = std::fs::read_to_string(told).unwrap();
        assert!(said.contains("lies outside the working folder") && !file.exists(), "{said}");
    }
}
