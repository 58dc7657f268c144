//! How is one run written and read in MLflow's folder layout?
//!
//! Every value is on the disk before a verb returns. Params never change; a value that MLflow would cut is kept whole as
//! an artifact below `long/`. Where a key is in the way of another (`a` is a file, `a/b` needs a folder), the second
//! gets a name on one level.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;

use crate::disk;
use crate::error::{Error, Result};
use crate::keys;
use crate::meta::{self, DatasetMeta, InputMeta, META, RunMeta};
use crate::store::Store;
use crate::types::{Artifact, Dataset, Metric, NAME, ORIGINAL, PARENT, Record, RunInfo, Status};

/// The tag of an input that says what it was read for.
const CONTEXT: &str = "mlflow.data.context";

/// Where a run is.
#[derive(Clone)]
pub(crate) struct Place {
    store: Store,
    pub experiment: String,
    pub id: String,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new(store: Store, experiment: String, id: String) -> Self {
        let path = store.root().join(&experiment).join(&id);
        Self { store, experiment, id, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Does `work`, and once more if its experiment was deleted meanwhile and could be brought back.
    fn revived<T>(&self, work: impl Fn() -> Result<T>) -> Result<T> {
        match work() {
            Err(_) if !self.path.is_dir() => {
                self.store.revive(&self.experiment)?;
                if !self.path.is_dir() {
                    return Err(Error::missing(format!("the run {} was deleted: start a new one", self.id)));
                }
                work()
            }
            done => done,
        }
    }

    pub(crate) fn params(&self, params: &[(String, String)]) -> Result<()> {
        self.revived(|| params.iter().try_for_each(|(key, value)| self.param(key, value)))
    }

    fn param(&self, key: &str, value: &str) -> Result<()> {
        let (name, path) = self.slot("params", key)?;
        let artifact = format!("long/params/{name}.txt");
        let short = keys::cut(value, keys::PARAM, &artifact);
        let text = short.as_deref().unwrap_or(value);
        if let Some(old) = disk::text(&path)? {
            if old == text {
                return Ok(());
            }
            let old: String = old.chars().take(60).collect();
            return Err(Error::usage(format!(
                "the param `{name}` of the run {} is `{old}` already and cannot change: log it in another run",
                self.id
            )));
        }
        if short.is_some() {
            self.artifact(&artifact, value.as_bytes())?;
        }
        disk::write(&self.path, &path, text.as_bytes())
    }

    pub(crate) fn tags(&self, tags: &[(String, String)]) -> Result<()> {
        self.revived(|| tags.iter().try_for_each(|(key, value)| self.tag(key, value)))
    }

    fn tag(&self, key: &str, value: &str) -> Result<()> {
        let (name, path) = self.slot("tags", key)?;
        let artifact = format!("long/tags/{name}.txt");
        let short = keys::cut(value, keys::TAG, &artifact);
        if short.is_some() {
            self.artifact(&artifact, value.as_bytes())?;
        }
        disk::write(&self.path, &path, short.as_deref().unwrap_or(value).as_bytes())?;
        // MLflow keeps the name in both places; and the index looks for another parent there.
        if (name == NAME || name == PARENT)
            && let Some(mut run) = meta::read::<RunMeta>(&self.path.join(META))?
        {
            if name == NAME {
                value.clone_into(&mut run.run_name);
            }
            self.rewrite(&run)?;
        }
        Ok(())
    }

    pub(crate) fn metrics(&self, metrics: &[Metric]) -> Result<()> {
        if let Some(early) = metrics.iter().find(|metric| metric.time < 0) {
            return Err(Error::usage(format!("the metric `{}` has a time before 1970", early.key)));
        }
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for Metric { key, value, step, time } in metrics {
            *lines.entry(key).or_default() += &format!("{time} {value:?} {step}\n");
        }
        self.revived(|| {
            lines.iter().try_for_each(|(key, lines)| {
                self.slot("metrics", key).and_then(|(_, path)| disk::append(&self.path, &path, lines))
            })
        })
    }

    /// The name and the file of a key, mended and out of the way of other keys.
    fn slot(&self, part: &str, key: &str) -> Result<(String, PathBuf)> {
        let folder = self.path.join(part);
        let mut name = keys::mended_key(key).into_owned();
        let mut path = folder.join(&name);
        let is_blocked =
            name.match_indices('/').any(|(end, _)| name.get(..end).is_some_and(|up| folder.join(up).is_file()));
        if is_blocked || path.is_dir() {
            name = keys::flat(key);
            path = folder.join(&name);
        }
        if name != key {
            let note = self.path.join("tags").join(format!("{ORIGINAL}{}", name.replace('/', "_")));
            // The tag is a file as well; a longer name would not fit one.
            if note.file_name().is_some_and(|name| name.len() <= 250) && !note.exists() {
                let original: String = key.chars().take(keys::TAG).collect();
                disk::write(&self.path, &note, original.as_bytes())?;
            }
        }
        Ok((name, path))
    }

    pub(crate) fn input(&self, dataset: &Dataset) -> Result<()> {
        dataset.check()?;
        let id = hexadecimal(&[&dataset.name, &dataset.digest]);
        let input = hexadecimal(&[&id, &self.id]);
        let about = DatasetMeta {
            digest: dataset.digest.clone(),
            name: dataset.name.clone(),
            profile: dataset.profile.clone(),
            schema: dataset.schema.clone(),
            source: dataset.source.clone(),
            source_type: dataset.source_type.clone(),
        };
        let link = InputMeta {
            // As MLflow writes it: the source once more.
            destination_id: id.clone(),
            destination_type: "RUN".to_owned(),
            source_id: id.clone(),
            source_type: "DATASET".to_owned(),
            tags: dataset.context.iter().map(|context| (CONTEXT.to_owned(), context.clone())).collect(),
        };
        self.revived(|| {
            let data = self.dataset_path(&id);
            if !data.is_file() {
                meta::write(&self.path, &data, &about)?;
            }
            meta::write(&self.path, &self.path.join("inputs").join(&input).join(META), &link)
        })
    }

    fn dataset_path(&self, id: &str) -> PathBuf {
        self.store.root().join(&self.experiment).join("datasets").join(id).join(META)
    }

    /// What the run has read, with the identifier of each.
    pub(crate) fn inputs(&self) -> Result<Vec<(String, Dataset)>> {
        let folder = self.path.join("inputs");
        let mut found = Vec::new();
        for id in disk::names(&folder, true)? {
            let Some(link) = meta::read::<InputMeta>(&folder.join(&id).join(META))? else { continue };
            // Models may be inputs as well.
            if link.source_type != "DATASET" {
                continue;
            }
            let Some(data) = meta::read::<DatasetMeta>(&self.dataset_path(&link.source_id))? else { continue };
            let dataset = Dataset {
                name: data.name,
                digest: data.digest,
                source_type: data.source_type,
                source: data.source,
                schema: data.schema,
                profile: data.profile,
                context: link.tags.get(CONTEXT).cloned(),
            };
            found.push((id, dataset));
        }
        found.sort_by(|one, other| one.1.name.cmp(&other.1.name));
        Ok(found)
    }

    pub(crate) fn artifact(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.path.join("artifacts").join(keys::artifact_path(path)?);
        self.revived(|| disk::write(&self.path, &target, bytes))
    }

    pub(crate) fn artifact_file(&self, path: &str, file: &Path) -> Result<()> {
        let target = self.path.join("artifacts").join(keys::artifact_path(path)?);
        self.revived(|| disk::copy(&self.path, file, &target))
    }

    pub(crate) fn finish(&self, status: Status) -> Result<()> {
        self.revived(|| {
            let mut run = self.meta()?;
            run.status = status.number();
            run.end_time = status.is_end().then(disk::now);
            self.rewrite(&run)
        })
    }

    fn rewrite(&self, run: &RunMeta) -> Result<()> {
        meta::write(&self.path, &self.path.join(META), run)
    }

    pub(crate) fn meta(&self) -> Result<RunMeta> {
        let run = meta::read::<RunMeta>(&self.path.join(META))?;
        let run = run.ok_or_else(|| Error::missing(format!("the run {} is not there", self.path.display())))?;
        // A folder copied by hand has the identifier of another.
        if run.run_id != self.id {
            return Err(Error::missing(format!("{} says that it is the run {}", self.path.display(), run.run_id)));
        }
        Ok(run)
    }

    /// The file of the tag with the parent.
    pub(crate) fn parent_path(&self) -> PathBuf {
        self.path.join("tags").join(PARENT)
    }

    fn info_of(&self, run: &RunMeta, parent: Option<String>) -> RunInfo {
        RunInfo {
            id: self.id.clone(),
            server_id: None,
            experiment_id: self.experiment.clone(),
            name: run.run_name.clone(),
            status: Status::of_number(run.status),
            start: run.start_time.unwrap_or_default(),
            end: run.end_time,
            parent,
        }
    }

    pub(crate) fn record(&self) -> Result<Record> {
        let tags = self.values("tags")?;
        let mut metrics = BTreeMap::new();
        for (key, _) in disk::walk(&self.path.join("metrics"))? {
            let history = self.history(&key)?;
            if let Some(latest) =
                history.into_iter().reduce(|best, next| if next.is_later(&best) { next } else { best })
            {
                metrics.insert(key, latest.value);
            }
        }
        Ok(Record {
            info: self.info_of(&self.meta()?, tags.get(PARENT).cloned()),
            params: self.values("params")?,
            metrics,
            tags,
            inputs: self.inputs()?.into_iter().map(|(_, dataset)| dataset).collect(),
        })
    }

    /// All params, or all tags.
    pub(crate) fn values(&self, part: &str) -> Result<BTreeMap<String, String>> {
        let files = disk::walk(&self.path.join(part))?;
        files.into_iter().map(|(key, path)| Ok((key, disk::text(&path)?.unwrap_or_default()))).collect()
    }

    pub(crate) fn value(&self, part: &str, key: &str) -> Result<Option<String>> {
        disk::text(&self.path.join(part).join(key))
    }

    /// All values of a metric in the order in which they were logged; lines that say nothing are left out.
    pub(crate) fn history(&self, key: &str) -> Result<Vec<Metric>> {
        let key = keys::mended_key(key);
        let text = disk::text(&self.path.join("metrics").join(key.as_ref()))?.unwrap_or_default();
        Ok(text.lines().filter_map(|line| Metric::of_line(&key, line)).collect())
    }

    /// The whole lines of every metric, from the byte to which each was read before; and where each ends now.
    pub(crate) fn news(&self, read: &HashMap<String, u64>) -> Result<Vec<(String, u64, Vec<Metric>)>> {
        let mut news = Vec::new();
        for (key, path) in disk::walk(&self.path.join("metrics"))? {
            let from = read.get(&key).copied().unwrap_or(0);
            let length = std::fs::metadata(&path).map_or(0, |about| about.len());
            if length == from {
                continue;
            }
            let text = disk::text(&path)?.unwrap_or_default();
            // A shorter file is another one.
            let start = if length < from { 0 } else { usize::try_from(from).unwrap_or(0) };
            let end = text.rfind('\n').map_or(0, |end| end + 1);
            let lines = text.get(start..end).unwrap_or_default();
            let metrics: Vec<Metric> = lines.lines().filter_map(|line| Metric::of_line(&key, line)).collect();
            if end as u64 != from {
                news.push((key, end as u64, metrics));
            }
        }
        Ok(news)
    }

    /// The folder with the artifacts: the run's own, or the one that its `meta.yaml` names if that one is empty.
    pub(crate) fn artifact_folder(&self) -> Result<PathBuf> {
        let own = self.path.join("artifacts");
        if !disk::names(&own, true)?.is_empty() || !disk::names(&own, false)?.is_empty() {
            return Ok(own);
        }
        let Some(uri) = self.meta()?.artifact_uri else { return Ok(own) };
        let path = match uri.split_once("://") {
            None => PathBuf::from(uri),
            Some(("file", path)) => PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned()),
            Some(_) => return Ok(own),
        };
        Ok(if path.is_dir() { path } else { own })
    }

    pub(crate) fn artifacts(&self) -> Result<Vec<Artifact>> {
        let files = disk::walk(&self.artifact_folder()?)?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
        Ok(files.into_iter().map(|(path, file)| Artifact { path, size: size(&file) }).collect())
    }
}

/// The MD5 of texts one after the other, as MLflow names datasets.
fn hexadecimal(texts: &[&str]) -> String {
    let mut hash = Md5::new();
    for text in texts {
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
