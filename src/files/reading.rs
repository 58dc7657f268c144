//! What is on the disk, as far as the caller may know?
//!
//! A path is checked before the file system is asked about it, and a file again once it is open. For a script, files
//! that it may not touch do not exist: yes-or-no questions about them are answered by no.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::fence::{allowed, folder_allowed, still_allowed};
use super::guard::reads;
use crate::error::{Error, Result, nearest};
use crate::job::is_fenced;
use crate::progress;

fn cannot(path: &Path, cause: std::io::Error) -> Error {
    Error::io(format!("{} cannot be read", path.display())).because(cause)
}

/// What is said of a path that leads nowhere: the name beside it that was probably meant, if there is one.
pub(crate) fn missing(path: &Path) -> Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> =
        list(folder).into_iter().flatten().filter_map(|path| path.file_name()?.to_str().map(String::from)).collect();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let meant = nearest(&wanted, names.iter().map(String::as_str));
    let meant =
        meant.map_or_else(String::new, |name| format!(", did you mean {}?", path.with_file_name(name).display()));
    Error::io(format!("{} does not exist{meant}", path.display()))
}

/// Opens a file to read.
pub(crate) fn open(path: &Path) -> Result<File> {
    allowed(path)?;
    // A pipe that nobody writes to would hold a script for ever.
    if is_fenced() && path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Error::io(format!("{} is no file", path.display())));
    }
    let file = File::open(path).map_err(|cause| cannot(path, cause))?;
    still_allowed(path, &file)?;
    Ok(file)
}

/// The bytes of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|cause| cannot(path, cause))?;
    Ok(bytes)
}

/// The text of a file, which is an input from here on.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(|cause| cannot(path, cause))?;
    reads(path);
    Ok(text)
}

/// The folder of a script that runs: whoever runs it trusts what lies beside it.
pub(crate) fn home_of(script: &Path) -> Option<&Path> {
    script.is_file().then(|| script.parent()).flatten()
}

/// Does a file lie in the folder of a script that runs, itself and not by a link?
pub(crate) fn lies_beside(home: &Path, path: &Path) -> bool {
    let home = if home.as_os_str().is_empty() { Path::new(".") } else { home };
    let real = |path: &Path| path.canonicalize().ok();
    path.is_file() && real(path).is_some_and(|path| path.parent().map(Path::to_path_buf) == real(home))
}

/// The text of a file that [lies beside](lies_beside) a script that runs.
pub(crate) fn read_trusted(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(|cause| cannot(path, cause))?;
    reads(path);
    Ok(text)
}

/// When a file that was read was changed.
pub(crate) fn changed(path: &Path) -> Option<std::time::SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// What the file system says of a path: size, kind, time of the last change.
pub(crate) fn metadata(path: &Path) -> Result<Metadata> {
    allowed(path)?;
    path.metadata().map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => cannot(path, cause),
    })
}

/// Bytes of memory that the machine has, or that the container may take if that is less.
pub(crate) fn machine_memory() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let all = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:").map(String::from))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()?.saturating_mul(1024))
    });
    let group = read("/proc/self/cgroup").unwrap_or_default();
    let own = group.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").trim_end();
    let limits = Path::new(own).ancestors().map(|group| format!("/sys/fs/cgroup{}/memory.max", group.display()));
    let limits = limits.chain(["/sys/fs/cgroup/memory/memory.limit_in_bytes".to_string()]);
    let limits = limits.filter_map(|path| read(&path)?.trim().parse::<u64>().ok());
    limits.chain(all).min()
}

fn known(path: &Path) -> Option<Metadata> {
    allowed(path).ok().and_then(|()| path.metadata().ok())
}

/// Is there anything under this path?
pub(crate) fn exists(path: &Path) -> bool {
    known(path).is_some()
}

/// Is it a file?
pub(crate) fn is_file(path: &Path) -> bool {
    known(path).is_some_and(|metadata| metadata.is_file())
}

/// Is it a folder?
pub(crate) fn is_folder(path: &Path) -> bool {
    known(path).is_some_and(|metadata| metadata.is_dir())
}

/// What lies in a folder, in the order of the names.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    folder_allowed(folder)?;
    let entries = folder.read_dir().and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut entries: Vec<PathBuf> = entries.map_err(|cause| cannot(folder, cause))?;
    entries.sort();
    Ok(entries)
}

/// What a pattern such as `exports/*.csv` names, in the order of the names. `*` and `?` stand for characters of a name,
/// `[…]` for one of some, `**` for folders however deep. Every folder is judged before it is looked into.
pub(crate) fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let wrong = |cause: glob::PatternError| Error::usage(format!("{pattern} is not a pattern of files")).because(cause);
    glob::Pattern::new(pattern).map_err(wrong)?;
    let mut parts = Vec::new();
    for component in Path::new(pattern).components() {
        let text = component.as_os_str().to_string_lossy();
        parts.push(match component {
            Component::CurDir => continue,
            Component::Normal(_) if text == "**" => Part::Deep,
            Component::Normal(_) if text.contains(['*', '?', '[']) => {
                Part::Like(glob::Pattern::new(&text).map_err(wrong)?)
            }
            _ => Part::Named(PathBuf::from(component.as_os_str())),
        });
    }
    let mut found = Vec::new();
    expand(Path::new(""), &parts, &mut Vec::new(), &mut found)?;
    if pattern.ends_with(std::path::is_separator) {
        found.retain(|path| is_folder(path));
    }
    found.sort();
    // Two `**` come to a file in more than one way.
    found.dedup();
    Ok(found)
}

/// A component of a pattern.
enum Part {
    Named(PathBuf),
    Like(glob::Pattern),
    Deep,
}

/// Adds what the rest of a pattern names below a folder; `inside` are the real folders that `**` is looking into.
fn expand(at: &Path, parts: &[Part], inside: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<()> {
    progress::check()?;
    let Some((part, rest)) = parts.split_first() else {
        allowed(at)?;
        if at.symlink_metadata().is_ok() {
            found.push(at.to_path_buf());
        }
        return Ok(());
    };
    let name = match part {
        Part::Named(name) => return expand(&at.join(name), rest, inside, found),
        Part::Like(name) => Some(name),
        Part::Deep => None,
    };
    let folder = if at.as_os_str().is_empty() { Path::new(".") } else { at };
    folder_allowed(folder)?;
    if !is_folder(folder) {
        return Ok(());
    }
    let entries = list(folder)?;
    let names = entries.iter().filter_map(|entry| entry.file_name());
    if let Some(pattern) = name {
        for name in names.filter(|name| name.to_str().is_some_and(|name| pattern.matches(name))) {
            expand(&at.join(name), rest, inside, found)?;
        }
        return Ok(());
    }
    // A link to a folder that is being looked into would go on for ever.
    let real = folder.canonicalize().map_err(|cause| cannot(folder, cause))?;
    if inside.contains(&real) {
        return Ok(());
    }
    if !rest.is_empty() {
        expand(at, rest, inside, found)?;
    }
    inside.push(real);
    for name in names {
        let next = at.join(name);
        allowed(&next)?;
        if is_folder(&next) {
            // At the end of a pattern it names the folders below the one that it stands in.
            if rest.is_empty() {
                found.push(next.clone());
            }
            expand(&next, parts, inside, found)?;
        }
    }
    inside.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same files as the crate that knows patterns, where there is no fence.
    #[test]
    fn patterns_name_what_they_name_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        for file in ["a.csv", "b.csv", "a.txt", ".c.csv", "one/a.csv", "one/deep/a.csv", "two/b.csv", "t[wo/x.csv"] {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        for pattern in [
            "*.csv",
            "*",
            "?.csv",
            "[ab].csv",
            "[!a].csv",
            "*/a.csv",
            "one/*",
            "**/*.csv",
            "**/a.csv",
            "**/**/*.csv",
            "one/**/a.csv",
            "a.csv",
            "none/*.csv",
            "one/../*.csv",
            "*/../a.csv",
            "**",
            "*/",
            "t[[]wo/*.csv",
            "./*.csv",
        ] {
            let pattern = format!("{}/{pattern}", home.path().display());
            let mut expected: Vec<PathBuf> = glob::glob(&pattern).unwrap().map(std::result::Result::unwrap).collect();
            expected.sort();
            expected.dedup();
            assert_eq!(matching(&pattern).unwrap(), expected, "{pattern}");
        }
        assert!(matching("a[").unwrap_err().to_string().contains("not a pattern"));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let home = tempfile::tempdir().unwrap();
        for (name, other) in [("a", "b"), ("b", "a")] {
            std::fs::create_dir(home.path().join(name)).unwrap();
            std::fs::write(home.path().join(name).join("x.csv"), "").unwrap();
            std::os::unix::fs::symlink(home.path().join(other), home.path().join(name).join("on")).unwrap();
            std::os::unix::fs::symlink(home.path(), home.path().join(name).join("up")).unwrap();
        }
        let found = matching(&format!("{}/**/*.csv", home.path().display())).unwrap();
        assert!(found.len() >= 2 && found.len() < 20, "{found:?}");
    }
}
