//! How are models, their versions and aliases kept in MLflow's folder layout?
//!
//! ```text
//! models/<name>/meta.yaml
//! models/<name>/version-<N>/meta.yaml    made elsewhere and renamed whole: MLflow reads any folder of such a name
//! models/<name>/version-<N>/tags/<key>
//! models/<name>/aliases/<alias>          the number of a version
//! ```
//!
//! Reference: `mlflow/store/model_registry/file_store.py` of MLflow 3.17. In an outbox, numbers begin above a million
//! until the server has given its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::disk;
use crate::error::{Error, Result};
use crate::keys;
use crate::meta::{self, META, ModelMeta, VersionMeta};
use crate::store::Store;
use crate::types::{PROVISIONAL, Version};

impl Store {
    fn model(&self, name: &str) -> Result<PathBuf> {
        keys::check_model(name)?;
        Ok(self.root().join("models").join(name))
    }

    fn version_path(&self, model: &str, number: u32) -> Result<PathBuf> {
        Ok(self.model(model)?.join(format!("version-{number}")))
    }

    /// Registers what is at `source` as the next version; in an outbox its number is provisional.
    pub(crate) fn register(
        &self,
        model: &str,
        run: &str,
        source: &str,
        tags: &[(String, String)],
        is_outbox: bool,
    ) -> Result<Version> {
        let folder = self.model(model)?;
        let _alone = self.lock()?;
        let last = self.numbers(model)?.into_iter().max().unwrap_or(0);
        let number = last.max(if is_outbox { PROVISIONAL } else { 0 }) + 1;
        let now = disk::now();
        self.touch(model)?;
        let new = VersionMeta {
            creation_timestamp: Some(now),
            current_stage: Some("None".to_owned()),
            description: None,
            last_updated_timestamp: Some(now),
            name: model.to_owned(),
            run_id: Some(run.to_owned()),
            run_link: None,
            source: Some(source.to_owned()),
            status: Some("READY".to_owned()),
            status_message: None,
            storage_location: Some(source.to_owned()),
            user_id: None,
            version: number,
            more: Default::default(),
        };
        let unfinished = folder.join(format!(".writing-{}", disk::new_id()));
        disk::folder(&unfinished)?;
        for (key, value) in tags {
            disk::write(&unfinished, &unfinished.join("tags").join(keys::mended_key(key).as_ref()), value.as_bytes())?;
        }
        meta::write(&unfinished, &unfinished.join(META), &new)?;
        let place = self.version_path(model, number)?;
        std::fs::rename(&unfinished, &place).map_err(|cause| Error::io("write", &place, &cause))?;
        self.version(model, number)
    }

    /// Makes the model if it is new, and notes that it has changed.
    fn touch(&self, name: &str) -> Result<()> {
        let folder = self.model(name)?;
        let now = disk::now();
        let new = || ModelMeta {
            creation_timestamp: Some(now),
            description: None,
            last_updated_timestamp: None,
            name: name.to_owned(),
            more: Default::default(),
        };
        let mut model = meta::read::<ModelMeta>(&folder.join(META))?.unwrap_or_else(new);
        model.last_updated_timestamp = Some(now);
        disk::folder(&folder)?;
        meta::write(&folder, &folder.join(META), &model)
    }

    fn numbers(&self, model: &str) -> Result<Vec<u32>> {
        let folders = disk::names(&self.model(model)?, true)?;
        Ok(folders.iter().filter_map(|name| name.strip_prefix("version-")?.parse().ok()).collect())
    }

    /// All versions of a model, the latest first.
    pub(crate) fn versions(&self, model: &str) -> Result<Vec<Version>> {
        let mut numbers = self.numbers(model)?;
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.into_iter().map(|number| self.version(model, number)).collect()
    }

    pub(crate) fn version(&self, model: &str, number: u32) -> Result<Version> {
        let folder = self.version_path(model, number)?;
        let about = meta::read::<VersionMeta>(&folder.join(META))?
            .ok_or_else(|| Error::missing(format!("the model `{model}` has no version {number}")))?;
        let tags = disk::walk(&folder.join("tags"))?;
        let tags = tags.into_iter().map(|(key, path)| Ok((key, disk::text(&path)?.unwrap_or_default())));
        let aliases = self.aliases(model)?;
        Ok(Version {
            model: about.name,
            number,
            run_id: about.run_id,
            source: about.source.unwrap_or_default(),
            tags: tags.collect::<Result<_>>()?,
            aliases: aliases.into_iter().filter(|(_, leads)| *leads == number).map(|(alias, _)| alias).collect(),
            created: about.creation_timestamp.unwrap_or_default(),
        })
    }

    pub(crate) fn aliases(&self, model: &str) -> Result<BTreeMap<String, u32>> {
        let files = disk::walk(&self.model(model)?.join("aliases"))?;
        let read = |(alias, path): (String, PathBuf)| Some((alias, disk::text(&path).ok()??.trim().parse().ok()?));
        Ok(files.into_iter().filter_map(read).collect())
    }

    /// Lets an alias lead to a version. In an outbox the version may be one that only the server has.
    pub(crate) fn alias(&self, model: &str, alias: &str, number: u32, is_outbox: bool) -> Result<()> {
        keys::check_alias(alias)?;
        let _alone = self.lock()?;
        if !is_outbox || number > PROVISIONAL {
            self.version(model, number)?;
        }
        self.touch(model)?;
        let folder = self.model(model)?;
        disk::write(&folder, &folder.join("aliases").join(alias), number.to_string().as_bytes())
    }

    pub(crate) fn unalias(&self, model: &str, alias: &str) -> Result<()> {
        keys::check_alias(alias)?;
        let path = self.model(model)?.join("aliases").join(alias);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, &cause)),
            _ => Ok(()),
        }
    }

    pub(crate) fn version_by_alias(&self, model: &str, alias: &str) -> Result<Version> {
        keys::check_alias(alias)?;
        match self.aliases(model)?.get(alias) {
            Some(number) => self.version(model, *number),
            None => Err(Error::missing(format!("the model `{model}` has no alias `{alias}`"))),
        }
    }
}
