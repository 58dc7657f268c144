//! How do parts become one file? A ZIP archive of parts with their kinds and the relations between them (ECMA-376 part
//! 2, Open Packaging Conventions). Nothing in it tells when it was written: the same parts give the same bytes.

use std::io::{self, Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::xml::{Tag, tag};

const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
/// What most kinds of relations begin with.
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";

/// A part of a file, and what it is related to.
pub(super) struct Part {
    path: String,
    /// The content type; none where the extension tells.
    kind: Option<&'static str>,
    bytes: Vec<u8>,
    pub(super) relations: Relations,
}

impl Part {
    /// A part in XML, of a kind that is named after `application/vnd.openxmlformats-`.
    pub(super) fn new(path: impl Into<String>, kind: &'static str, root: &Tag) -> io::Result<Self> {
        Ok(Self::of(path, Some(kind), root.document()?))
    }

    /// A part of bytes: a picture, a workbook.
    pub(super) fn of(path: impl Into<String>, kind: Option<&'static str>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), kind, bytes, relations: Relations::default() }
    }

    pub(super) fn related(mut self, relations: Relations) -> Self {
        self.relations = relations;
        self
    }
}

/// The relations of a part, `rId1` first.
#[derive(Default)]
pub(super) struct Relations(Vec<(String, String, bool)>);

impl Relations {
    /// A relation to another part, by its path from the root; returns its identifier.
    pub(super) fn to(&mut self, kind: &str, path: impl Into<String>) -> String {
        self.push(format!("{OFFICE}{kind}"), path.into(), false)
    }

    /// A relation of a kind with an address of its own.
    pub(super) fn of_kind(&mut self, kind: &str, path: impl Into<String>) -> String {
        self.push(kind.to_string(), path.into(), false)
    }

    /// A link to a page.
    pub(super) fn link(&mut self, address: String) -> String {
        self.push(format!("{OFFICE}hyperlink"), address, true)
    }

    fn push(&mut self, kind: String, target: String, outside: bool) -> String {
        let relation = (kind, target, outside);
        let place = self.0.iter().position(|known| *known == relation).unwrap_or_else(|| {
            self.0.push(relation);
            self.0.len() - 1
        });
        format!("rId{}", place + 1)
    }

    fn document(&self, folder: &str) -> io::Result<Vec<u8>> {
        let relation = |(place, (kind, target, outside)): (usize, &(String, String, bool))| {
            let relation = tag("Relationship").at("Id", format!("rId{}", place + 1)).at("Type", kind);
            match outside {
                true => relation.at("Target", target).at("TargetMode", "External"),
                false => relation.at("Target", from(folder, target)),
            }
        };
        tag("Relationships").at("xmlns", RELATIONS).all(self.0.iter().enumerate().map(relation)).document()
    }
}

/// The way from a folder to a path; folders are at most two deep.
fn from(folder: &str, path: &str) -> String {
    match (folder, path.strip_prefix(&format!("{folder}/"))) {
        ("", _) => path.to_string(),
        (_, Some(inside)) => inside.to_string(),
        _ => match (folder.split_once('/'), path.split_once('/')) {
            (Some((top, _)), Some((other, rest))) if top == other => format!("../{rest}"),
            _ => format!("/{path}"),
        },
    }
}

/// The bytes of a file of parts; `relations` are those of the file as a whole.
pub(super) fn bytes(parts: &[Part], relations: &Relations) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut write = |path: &str, bytes: &[u8]| -> io::Result<()> {
        // Pictures and workbooks are compressed already.
        let packed = path.ends_with(".png") || path.ends_with(".xlsx");
        let method = if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method).last_modified_time(DateTime::default());
        archive.start_file(path, options)?;
        archive.write_all(bytes)
    };
    let default = |(end, kind): (&str, &str)| tag("Default").at("Extension", end).at("ContentType", kind);
    let defaults = [
        ("rels", "application/vnd.openxmlformats-package.relationships+xml"),
        ("xml", "application/xml"),
        ("png", "image/png"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ];
    let kinds = parts.iter().filter_map(|part| {
        let kind = format!("application/vnd.openxmlformats-{}", part.kind?);
        Some(tag("Override").at("PartName", format!("/{}", part.path)).at("ContentType", kind))
    });
    let types = tag("Types").at("xmlns", TYPES).all(defaults.map(default)).all(kinds);
    write("[Content_Types].xml", &types.document()?)?;
    write("_rels/.rels", &relations.document("")?)?;
    for part in parts {
        write(&part.path, &part.bytes)?;
        if !part.relations.0.is_empty() {
            let (folder, name) = part.path.rsplit_once('/').unwrap_or(("", &part.path));
            write(&format!("{folder}/_rels/{name}.rels"), &part.relations.document(folder)?)?;
        }
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_as_short_as_office_writes_them() {
        assert_eq!(from("", "ppt/presentation.xml"), "ppt/presentation.xml");
        assert_eq!(from("ppt", "ppt/slides/slide1.xml"), "slides/slide1.xml");
        assert_eq!(from("ppt/slides", "ppt/charts/chart1.xml"), "../charts/chart1.xml");
    }

    #[test]
    fn a_relation_that_is_known_is_not_written_twice() {
        let mut relations = Relations::default();
        assert_eq!(relations.link("https://example.org".into()), "rId1");
        assert_eq!(relations.to("image", "ppt/media/image1.png"), "rId2");
        assert_eq!(relations.link("https://example.org".into()), "rId1");
    }
}
