//! What stands in the `meta.yaml` files of MLflow's folder layout?
//!
//! The fields and their order are those of MLflow 3.17 (`file_store.py`); what reading needs and an older file may lack
//! is optional. Every text is quoted, because PyYAML follows YAML 1.1, where a plain `NO`, `12:30` or `2024-01-01` is no
//! text. A file that does not parse is an error of its run alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{Error, Result};

/// The name of each of these files.
pub(crate) const META: &str = "meta.yaml";

/// A name or number that old files hold as a bare number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Number(i64),
    Nothing(()),
}

fn loose<'de, D: serde::Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    Ok(match Loose::deserialize(source)? {
        Loose::Text(text) => text,
        Loose::Number(number) => number.to_string(),
        Loose::Nothing(()) => String::new(),
    })
}

/// What other versions of MLflow have written beside it; it stays.
pub(crate) type More = BTreeMap<String, serde_json::Value>;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExperimentMeta {
    #[serde(default)]
    pub artifact_location: Option<String>,
    #[serde(default)]
    pub creation_time: Option<i64>,
    #[serde(deserialize_with = "loose")]
    pub experiment_id: String,
    #[serde(default)]
    pub last_update_time: Option<i64>,
    #[serde(default = "active")]
    pub lifecycle_stage: String,
    #[serde(deserialize_with = "loose")]
    pub name: String,
    #[serde(flatten)]
    pub more: More,
}

pub(crate) fn active() -> String {
    "active".to_owned()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunMeta {
    #[serde(default)]
    pub artifact_uri: Option<String>,
    #[serde(default)]
    pub deleted_time: Option<i64>,
    #[serde(default)]
    pub end_time: Option<i64>,
    #[serde(default)]
    pub entry_point_name: String,
    #[serde(deserialize_with = "loose")]
    pub experiment_id: String,
    #[serde(default = "active")]
    pub lifecycle_stage: String,
    #[serde(deserialize_with = "loose", alias = "run_uuid")]
    pub run_id: String,
    #[serde(default, deserialize_with = "loose")]
    pub run_name: String,
    #[serde(default)]
    pub source_name: String,
    #[serde(default)]
    pub source_type: i64,
    #[serde(default)]
    pub source_version: String,
    #[serde(default)]
    pub start_time: Option<i64>,
    #[serde(default)]
    pub status: i64,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default, deserialize_with = "loose")]
    pub user_id: String,
    #[serde(flatten)]
    pub more: More,
}

/// As it stands in `datasets/<id>/meta.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DatasetMeta {
    #[serde(deserialize_with = "loose")]
    pub digest: String,
    #[serde(deserialize_with = "loose")]
    pub name: String,
    #[serde(default)]
    pub profile: Option<String>,
    #[serde(default)]
    pub schema: Option<String>,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub source_type: String,
}

/// As it stands in `<run>/inputs/<id>/meta.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InputMeta {
    #[serde(default)]
    pub destination_id: String,
    #[serde(default)]
    pub destination_type: String,
    pub source_id: String,
    pub source_type: String,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelMeta {
    #[serde(default)]
    pub creation_timestamp: Option<i64>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub last_updated_timestamp: Option<i64>,
    #[serde(deserialize_with = "loose")]
    pub name: String,
    #[serde(flatten)]
    pub more: More,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VersionMeta {
    #[serde(default)]
    pub creation_timestamp: Option<i64>,
    #[serde(default)]
    pub current_stage: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub last_updated_timestamp: Option<i64>,
    #[serde(deserialize_with = "loose")]
    pub name: String,
    #[serde(default)]
    pub run_id: Option<String>,
    #[serde(default)]
    pub run_link: Option<String>,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub status_message: Option<String>,
    #[serde(default)]
    pub storage_location: Option<String>,
    #[serde(default)]
    pub user_id: Option<String>,
    pub version: u32,
    #[serde(flatten)]
    pub more: More,
}

/// Reads one of these; `None` if there is no such file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = disk::text(path)? else { return Ok(None) };
    serde_saphyr::from_str(&text).map(Some).map_err(|cause| {
        let why = cause.to_string();
        let why = why.lines().next().unwrap_or_default();
        Error::missing(format!("{} cannot be read as MLflow wrote it ({why})", path.display()))
    })
}

/// Writes one of these whole.
pub(crate) fn write<T: Serialize>(beside: &Path, path: &Path, meta: &T) -> Result<()> {
    let options = serde_saphyr::ser_options! { quote_all: true, prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(meta, options)
        .map_err(|cause| Error::usage(format!("{} cannot be written: {cause}", path.display())))?;
    disk::write(beside, path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `mlflow.MlflowClient("file:…").create_run(…)`, `set_terminated` and `create_model_version` of MLflow 3.17.2.
    const RUN: &str = "artifact_uri: file:///m/1/r/artifacts\nend_time: 1796203469800\nentry_point_name: ''\n\
        experiment_id: '1'\nlifecycle_stage: active\nrun_id: r\nrun_name: '12:30'\nsource_name: ''\n\
        source_type: 4\nsource_version: ''\nstart_time: 1796203469787\nstatus: 3\ntags: []\nuser_id: unknown\n";
    const VERSION: &str = "creation_timestamp: 1796203469809\ncurrent_stage: None\ndeployment_job_state: null\n\
        description: null\nlast_updated_timestamp: 1796203469809\nmodel_id: null\nname: mod\nrun_id: r\n\
        run_link: null\nsource: file:///m/1/r/artifacts/model\nstatus: READY\nstatus_message: null\n\
        storage_location: file:///m/1/r/artifacts/model\nuser_id: null\nversion: 1\nworkspace: default\n";

    fn read_text<T: DeserializeOwned>(text: &[u8]) -> Result<Option<T>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(META), text).unwrap();
        read(&folder.path().join(META))
    }

    #[test]
    fn what_mlflow_wrote_is_read_and_kept() {
        let run: RunMeta = read_text(RUN.as_bytes()).unwrap().unwrap();
        assert_eq!((run.run_name.as_str(), run.status, run.end_time), ("12:30", 3, Some(1_796_203_469_800)));
        let version: VersionMeta = read_text(VERSION.as_bytes()).unwrap().unwrap();
        assert_eq!((version.version, version.current_stage.as_deref()), (1, Some("None")));
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &folder.path().join(META), &version).unwrap();
        let text = std::fs::read_to_string(folder.path().join(META)).unwrap();
        assert!(
            text.contains("workspace\": \"default")
                || text.contains("workspace: 'default'")
                || text.contains("workspace: default"),
            "{text}"
        );
        // An old file has bare numbers.
        let run: RunMeta = read_text(b"experiment_id: 0\nrun_uuid: 12\n").unwrap().unwrap();
        assert_eq!(
            (run.experiment_id.as_str(), run.run_id.as_str(), run.lifecycle_stage.as_str()),
            ("0", "12", "active")
        );
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_said_to_be_wrong(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_text::<RunMeta>(&text);
            let _ = read_text::<ExperimentMeta>(&text);
        }

        #[test]
        fn any_name_comes_back(name in any::<String>()) {
            let mut run: RunMeta = read_text(RUN.as_bytes()).unwrap().unwrap();
            run.run_name.clone_from(&name);
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), &folder.path().join(META), &run).unwrap();
            let again: RunMeta = read(&folder.path().join(META)).unwrap().unwrap();
            prop_assert_eq!(again.run_name, name);
        }
    }
}
