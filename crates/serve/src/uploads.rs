//! Where are files that were sent? In the state folder, written as they come, so that their size needs no memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::access::{Person, id};
use crate::fault::{Fault, Kind};
use crate::keeper::blocking;
use crate::settings::Limits;

/// A file that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// Its id, by which jobs name it.
    pub id: String,
    /// The name that it came with.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it came.
    pub made_at: DateTime<Utc>,
    /// Whose it is.
    pub(crate) owner: String,
    /// The name of the file in its folder.
    pub(crate) file: String,
}

/// The files that were sent.
#[derive(Clone)]
pub struct Uploads {
    folder: Arc<PathBuf>,
    limits: Limits,
    /// Bytes of all files, those that are coming in too.
    used: Arc<AtomicU64>,
}

/// Files that a person may have at once, and how long one may take.
const FILES: usize = 1_000;
const LONGEST: Duration = Duration::from_secs(3600);

/// How files of some kinds begin.
const BEGINNINGS: [(&str, &[u8]); 8] = [
    ("parquet", b"PAR1"),
    ("xlsx", b"PK"),
    ("ods", b"PK"),
    ("zip", b"PK"),
    ("xls", b"\xd0\xcf\x11\xe0"),
    ("gz", b"\x1f\x8b"),
    ("zst", b"\x28\xb5\x2f\xfd"),
    ("pdf", b"%PDF"),
];

/// Does a file begin as its name says?
fn begins_as(end: &str, bytes: &[u8]) -> bool {
    let last = end.rsplit('.').next().unwrap_or_default();
    match BEGINNINGS.iter().find(|(kind, _)| *kind == last) {
        Some((_, beginning)) => bytes.starts_with(beginning),
        // A text that begins as something else is none.
        None => !BEGINNINGS.iter().any(|(_, beginning)| beginning.len() > 2 && bytes.starts_with(beginning)),
    }
}

/// How formats are told: by the end of the name alone, which therefore comes from this list.
const ENDS: [&str; 15] = [
    "csv",
    "tsv",
    "txt",
    "csv.gz",
    "tsv.gz",
    "txt.gz",
    "csv.zst",
    "zip",
    "parquet",
    "xlsx",
    "xls",
    "ods",
    "ndjson",
    "jsonl",
    "ndjson.gz",
];

impl Uploads {
    pub(crate) fn open(state: &Path, limits: &Limits) -> Result<Self, Fault> {
        let folder = state.join("uploads");
        std::fs::create_dir_all(&folder).map_err(|cause| disk(&cause))?;
        let uploads = Self { folder: Arc::new(folder), limits: limits.clone(), used: Arc::default() };
        uploads.used.store(uploads.all().iter().map(|upload| upload.bytes).sum(), Ordering::Relaxed);
        Ok(uploads)
    }

    /// Takes in a file as it comes; `told` is how long it says to be.
    ///
    /// # Errors
    /// It is of no kind that is read, larger than allowed, ends too early, or there is no room for it.
    pub async fn receive<E: std::fmt::Display>(
        &self,
        person: &Person,
        name: &str,
        told: Option<u64>,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Upload, Fault> {
        let name: String = name.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect();
        let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let lower = name.to_ascii_lowercase();
        let end = ENDS.iter().filter(|end| lower.ends_with(&format!(".{end}"))).max_by_key(|end| end.len());
        let Some(end) = end else {
            return Err(Fault::new(
                Kind::UnsupportedType,
                format!("`{name}` is of no kind that is read here; send one of: {}", ENDS.join(", ")),
            ));
        };
        let own = {
            let (uploads, person) = (self.clone(), person.clone());
            blocking(move || Ok(uploads.list(&person).len())).await?
        };
        if own >= FILES {
            return Err(Fault::new(Kind::Conflict, format!("you have {FILES} uploads; remove some first")));
        }
        let mut taken = Taken { used: self.used.clone(), bytes: 0 };
        taken.at_least(told.unwrap_or_default(), &self.limits)?;
        let begun = Instant::now();
        let id = id()?;
        let folder = self.folder.join(&id);
        tokio::fs::create_dir(&folder).await.map_err(|cause| disk(&cause))?;
        let removed = Removed(Some(folder.clone()));
        let file = format!("upload.{end}");
        let mut out = tokio::fs::File::create_new(folder.join(&file)).await.map_err(|cause| disk(&cause))?;
        let mut bytes = 0;
        loop {
            let piece = match tokio::time::timeout(self.limits.patience, pieces.next()).await {
                Err(_) => return Err(Fault::new(Kind::Timeout, "the upload stood still for too long; send it again")),
                Ok(None) => break,
                Ok(Some(Err(cause))) => {
                    return Err(Fault::new(Kind::Malformed, format!("the upload ended before its end: {cause}")));
                }
                Ok(Some(Ok(piece))) => piece,
            };
            if bytes == 0 && !begins_as(end, &piece) {
                return Err(Fault::new(Kind::Conflict, format!("`{name}` does not begin as a file of its kind does")));
            }
            if begun.elapsed() > LONGEST {
                return Err(Fault::new(
                    Kind::Timeout,
                    "the upload took longer than an hour; send it over a faster line",
                ));
            }
            bytes += piece.len() as u64;
            taken.at_least(bytes, &self.limits)?;
            out.write_all(&piece).await.map_err(|cause| disk(&cause))?;
        }
        out.sync_all().await.map_err(|cause| disk(&cause))?;
        if bytes == 0 {
            return Err(Fault::new(Kind::Conflict, format!("`{name}` is empty")));
        }
        let upload = Upload { id, name, bytes, made_at: Utc::now(), owner: person.name.clone(), file };
        let about = serde_json::to_vec(&upload).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
        tokio::fs::write(folder.join("about.json"), about).await.map_err(|cause| disk(&cause))?;
        removed.keep();
        taken.keep(bytes);
        Ok(upload)
    }

    /// A file that this person may see, and where it is.
    ///
    /// # Errors
    /// There is none of this id, or it is somebody else's.
    pub fn get(&self, person: &Person, id: &str) -> Result<(Upload, PathBuf), Fault> {
        let upload = self.read(id).filter(|upload| person.sees().is_none_or(|name| name == upload.owner));
        let upload = upload
            .ok_or_else(|| Fault::new(Kind::UnknownUpload, format!("there is no upload `{}`", id.escape_debug())))?;
        let place = self.folder.join(&upload.id).join(&upload.file);
        Ok((upload, place))
    }

    /// The files that a person sees, the newest first.
    pub fn list(&self, person: &Person) -> Vec<Upload> {
        let mut uploads = self.all();
        uploads.retain(|upload| person.sees().is_none_or(|name| name == upload.owner));
        uploads.sort_by_key(|upload| std::cmp::Reverse(upload.made_at));
        uploads
    }

    /// Removes a file.
    ///
    /// # Errors
    /// There is none of this id, or it cannot be removed.
    pub fn remove(&self, person: &Person, id: &str) -> Result<(), Fault> {
        let (upload, _) = self.get(person, id)?;
        std::fs::remove_dir_all(self.folder.join(&upload.id)).map_err(|cause| disk(&cause))?;
        self.used.fetch_sub(upload.bytes, Ordering::Relaxed);
        Ok(())
    }

    fn all(&self) -> Vec<Upload> {
        let entries = std::fs::read_dir(&*self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| self.read(entry.file_name().to_str()?)).collect()
    }

    fn read(&self, id: &str) -> Option<Upload> {
        // An id is part of a path: nothing but what `id` makes.
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let bytes = is_id.then(|| std::fs::read(self.folder.join(id).join("about.json")).ok())??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Removes what is older than it is kept for, and what was never finished.
    pub(crate) fn prune(&self) {
        for entry in std::fs::read_dir(&*self.folder).into_iter().flatten().flatten() {
            let age = entry.metadata().and_then(|about| about.modified()).ok();
            let age = age.and_then(|then| SystemTime::now().duration_since(then).ok()).unwrap_or_default();
            let whole = entry.file_name().to_str().and_then(|id| self.read(id));
            let most = if whole.is_some() { self.limits.keep } else { Duration::from_secs(24 * 3600) };
            if age > most && std::fs::remove_dir_all(entry.path()).is_ok() {
                self.used.fetch_sub(whole.map_or(0, |upload| upload.bytes), Ordering::Relaxed);
            }
        }
    }
}

/// Room that an upload takes, given back unless it came to its end.
struct Taken {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Taken {
    /// Takes so much in all, if there is so much.
    fn at_least(&mut self, bytes: u64, limits: &Limits) -> Result<(), Fault> {
        if bytes > limits.upload {
            let most = limits.upload >> 20;
            let detail = format!("an upload may have {most} MB; send a smaller file or a compressed one");
            return Err(Fault::new(Kind::TooLarge, detail));
        }
        let more = bytes.saturating_sub(self.bytes);
        self.bytes += more;
        if self.used.fetch_add(more, Ordering::Relaxed) + more > limits.uploads {
            return Err(Fault::new(
                Kind::DiskFull,
                "all uploads together take the room that they may; remove some first",
            ));
        }
        Ok(())
    }

    fn keep(mut self, bytes: u64) {
        self.used.fetch_sub(self.bytes.saturating_sub(bytes), Ordering::Relaxed);
        self.bytes = 0;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A folder that is removed unless its upload came to its end.
struct Removed(Option<PathBuf>);

impl Removed {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// What the disk said.
pub(crate) fn disk(cause: &std::io::Error) -> Fault {
    match cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Fault::new(Kind::DiskFull, "there is no room left on the disk of the server; make room and repeat")
        }
        _ => {
            tracing::error!(%cause, "the state folder");
            Fault::new(Kind::Unavailable, format!("the state folder of the server cannot be used: {}", cause.kind()))
        }
    }
}
