//! How does a typst document become a PDF?
//!
//! The compiler sees the files and fonts that it is handed and nothing else: no folder, no network, no package, no clock.
//! A document is tagged and conforms to PDF/UA-1 (for readers who cannot see) and PDF/A-2a (for archives), which typst checks;
//! its date and its identifier do not depend on when it is made, so the same input gives the same bytes.
//!
//! Both forbid letters that no font has. Such a document is still written, tagged but without the claim, with a warning
//! that names the letters: a blank in the place of a letter is bad, no page at all is worse.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use typst::diag::{FileError, FileResult, PackageError, SourceDiagnostic, Warned};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

/// Nothing to do: typst is built in.
pub(super) fn ready() -> Result<(), String> {
    Ok(())
}

/// The document that `main`, one of `files`, describes, and what to warn of. `house` are the fonts that every document has,
/// `more` the files of others, for letters that those lack. `identifier` stays the same when the document is made again.
///
/// # Errors
/// What is wrong with the document, with its file and line.
pub(super) fn compile(
    main: &str,
    files: &[(String, Vec<u8>)],
    house: &[&'static [u8]],
    more: &[Vec<u8>],
    identifier: &str,
) -> Result<(Vec<u8>, Vec<String>), String> {
    let world = Files::new(main, files, house, more)?;
    let Warned { output, warnings } = typst::compile::<PagedDocument>(&world);
    let made = output.map_err(|errors| world.said(&errors)).and_then(|document| {
        let mut warnings: Vec<String> = warnings.iter().map(|warning| world.place(warning)).collect();
        let bytes = world.bytes(&document, identifier, !more.is_empty(), &mut warnings)?;
        Ok((bytes, warnings))
    });
    // What typst has memorised would otherwise stay for as long as the program runs, as notebooks do.
    typst::comemo::evict(1);
    made
}

/// The program, as the document's properties name it.
const CREATOR: &str = concat!("Tradewind ", env!("CARGO_PKG_VERSION"));

/// Everything that the compiler can see.
struct Files {
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

impl Files {
    fn new(main: &str, files: &[(String, Vec<u8>)], house: &[&'static [u8]], more: &[Vec<u8>]) -> Result<Self, String> {
        let id = |name: &str| {
            let path = VirtualPath::new(name).map_err(|error| format!("`{name}` names no file: {error}"))?;
            Ok::<_, String>(RootedPath::new(VirtualRoot::Project, path).intern())
        };
        let mut sources = HashMap::new();
        let mut known = HashMap::new();
        for (name, bytes) in files {
            let file = id(name)?;
            if let Ok(text) = std::str::from_utf8(bytes)
                && name.ends_with(".typ")
            {
                sources.insert(file, Source::new(file, text.to_string()));
            }
            known.insert(file, Bytes::new(bytes.clone()));
        }
        let house = house.iter().flat_map(|bytes| Font::iter(Bytes::new(*bytes)));
        let more = more.iter().flat_map(|bytes| Font::iter(Bytes::new(bytes.clone())));
        let fonts: Vec<Font> = house.chain(more).collect();
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Ok(Self { main: id(main)?, sources, files: known, book, fonts })
    }

    fn bytes(
        &self,
        document: &PagedDocument,
        identifier: &str,
        more_fonts: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<u8>, String> {
        let options = |standards: &[PdfStandard]| -> Result<PdfOptions, String> {
            Ok(PdfOptions {
                ident: Smart::Custom(identifier.to_string()),
                creator: Smart::Custom(Some(CREATOR.into())),
                timestamp: epoch().map(Timestamp::new_utc),
                standards: PdfStandards::new(standards).map_err(|error| error.message().to_string())?,
                ..PdfOptions::default()
            })
        };
        let errors = match typst_pdf::pdf(document, &options(&[PdfStandard::Ua_1, PdfStandard::A_2a])?) {
            Ok(bytes) => return Ok(bytes),
            Err(errors) => errors,
        };
        let missing: Option<Vec<BTreeSet<char>>> = errors.iter().map(|error| without_font(&error.message)).collect();
        // Some scripts cannot be mapped back letter by letter even where a font has them.
        if missing.is_none() && !more_fonts {
            return Err(self.said(&errors));
        }
        let bytes = typst_pdf::pdf(document, &options(&[PdfStandard::V_1_7])?).map_err(|errors| self.said(&errors))?;
        const NOT: &str = "the file is tagged but conforms neither to PDF/UA-1 nor to PDF/A-2a";
        warnings.push(match missing {
            None => format!("{NOT}: {}", self.said(&errors)),
            Some(missing) => {
                const MOST: usize = 12;
                let missing: BTreeSet<char> = missing.into_iter().flatten().collect();
                let letters: String = missing.iter().take(MOST).collect();
                let dots = if missing.len() > MOST { "…" } else { "" };
                format!("no font has the letters {letters}{dots}: blanks stand for them, and {NOT}; name a font that has them")
            }
        });
        Ok(bytes)
    }

    fn said(&self, errors: &[SourceDiagnostic]) -> String {
        const MOST: usize = 3;
        let mut said: Vec<String> = errors.iter().take(MOST).map(|error| self.place(error)).collect();
        if errors.len() > MOST {
            said.push(format!("{} more errors", errors.len() - MOST));
        }
        said.join("; ")
    }

    /// A message with its file and line, what led there, and how to mend it.
    fn place(&self, found: &SourceDiagnostic) -> String {
        let mut said = match self.line(found.span) {
            Some(place) => format!("{place}: {}", found.message),
            None => found.message.to_string(),
        };
        // An error inside one of our files is at home where another file called it.
        let calls = found.trace.iter().filter_map(|point| self.line(point.span.into()));
        for place in calls.take(2) {
            said.push_str(&format!(", called from {place}"));
        }
        for hint in &found.hints {
            said.push_str(&format!(" (hint: {})", hint.v));
        }
        said
    }

    fn line(&self, span: DiagSpan) -> Option<String> {
        let file = span.id()?;
        let name = file.vpath().get_without_slash();
        let Some((range, bytes)) = self.range(span).zip(self.files.get(&file)) else { return Some(name.to_string()) };
        let before = bytes.get(..range.start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        Some(format!("{name}, line {line}, column {column}"))
    }
}

impl World for Files {
    fn library(&self) -> &LazyHash<Library> {
        static LIBRARY: OnceLock<LazyHash<Library>> = OnceLock::new();
        LIBRARY.get_or_init(|| LazyHash::new(Library::default()))
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        match self.sources.get(&id) {
            Some(source) => Ok(source.clone()),
            None => Err(self.file(id).err().unwrap_or(FileError::NotSource)),
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        match (self.files.get(&id), id.root()) {
            (Some(bytes), _) => Ok(bytes.clone()),
            (None, VirtualRoot::Package(package)) => Err(FileError::Package(PackageError::NotFound(package.clone()))),
            (None, VirtualRoot::Project) => Err(FileError::NotFound(id.vpath().get_without_slash().into())),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// The date of every document: the first that archives know.
fn epoch() -> Option<Datetime> {
    Datetime::from_ymd_hms(1980, 1, 1, 0, 0, 0)
}

/// The letters that no font has, of an error that says so. The letters within pictures are known from nowhere else.
fn without_font(message: &str) -> Option<BTreeSet<char>> {
    let (text, _) = message.split_once("the text `")?.1.split_once("` could not be displayed with ")?;
    Some(text.chars().filter(|letter| !letter.is_ascii()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const FONTS: [&[u8]; 2] = [
        include_bytes!("../../figures/fonts/OpenSans-Regular.ttf"),
        include_bytes!("../../figures/fonts/OpenSans-Semibold.ttf"),
    ];
    const HEAD: &str =
        "#set document(title: \"T\", date: datetime(year: 1980, month: 1, day: 1))\n#set text(font: \"Open Sans\")\n";

    fn made(body: &str, more: &[(&str, &str)]) -> Result<(Vec<u8>, Vec<String>), String> {
        let mut files = vec![("mine.typ".to_string(), format!("{HEAD}{body}").into_bytes())];
        files.extend(more.iter().map(|(name, text)| ((*name).to_string(), text.as_bytes().to_vec())));
        compile("mine.typ", &files, &FONTS, &[], "T")
    }

    fn holds(bytes: &[u8], wanted: &str) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    }

    #[test]
    fn the_same_document_gives_the_same_bytes() {
        let body = "= Sales\n#table(columns: 2, table.header[a][b], [1], [2])\n";
        let (once, warnings) = made(body, &[]).unwrap();
        assert_eq!((once.as_slice(), warnings.len()), (made(body, &[]).unwrap().0.as_slice(), 0));
        assert!(
            once.starts_with(b"%PDF-1.7")
                && holds(&once, "pdfuaid:part>1<")
                && holds(&once, "pdfaid:part>2<")
                && holds(&once, "1980-01-01")
        );
    }

    #[test]
    fn errors_have_a_file_and_a_line() {
        let said = made("Text\n#nothing()", &[]).unwrap_err();
        assert!(said.starts_with("mine.typ, line 4, column 2: unknown variable: nothing"), "{said}");
        let other = [("other.typ", "\n#let f(x) = x + 1")];
        let said = made("#import \"other.typ\": f\n#f(\"a\")", &other).unwrap_err();
        assert!(
            said.starts_with("other.typ, line 2, column 13: ") && said.contains("called from mine.typ, line 4"),
            "{said}"
        );
        // What PDF/UA-1 asks for.
        let said = made("= One\n=== Three", &[]).unwrap_err();
        assert!(said.starts_with("mine.typ, line 4, column 1: PDF/UA-1 error: "), "{said}");
        assert!(compile("../mine.typ", &[], &FONTS, &[], "T").is_err());
    }

    #[test]
    fn nothing_but_the_files_is_seen() {
        for body in [
            "#read(\"/etc/passwd\")",
            "#read(\"../enabled.rs\")",
            "#import \"@preview/cetz:0.3.4\"",
            "#image(\"https://example.org/a.svg\", alt: \"a\")",
            "#datetime.today()",
        ] {
            assert!(made(body, &[]).is_err(), "{body}");
        }
        assert!(made("#read(\"a.txt\")", &[("a.txt", "words")]).is_ok());
    }

    #[test]
    fn letters_without_a_font_are_blank() {
        let (bytes, warnings) = made("= مبيعات 🙂 sales", &[]).unwrap();
        assert!(bytes.starts_with(b"%PDF") && !holds(&bytes, "pdfuaid") && !holds(&bytes, "pdfaid"));
        assert!(warnings.len() == 1 && warnings[0].contains("no font has the letters"), "{warnings:?}");
        assert!(
            warnings[0].contains('🙂') && warnings[0].contains('م') && !warnings[0].contains("sales"),
            "{warnings:?}"
        );
        // In a picture.
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"30\"><text x=\"5\" y=\"20\" font-family=\"Open Sans\">a销</text></svg>";
        let (_, warnings) = made("#image(\"a.svg\", alt: \"a\")", &[("a.svg", svg)]).unwrap();
        assert!(warnings.len() == 1 && warnings[0].contains('销'), "{warnings:?}");
    }

    #[test]
    fn texts_that_come_as_data_are_read_back_as_they_are() {
        const TEXT: &str =
            r##"#set page() $x^2$ *b* _e_ `r` @ref <l> \n "q" 'a' </script> ] [ } { // /* ~ -- ... = head"##;
        let json = serde_json::json!({ "text": TEXT }).to_string();
        let (bytes, warnings) = made("#json(\"r.json\").text", &[("r.json", &json)]).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let file = std::env::temp_dir().join(format!("tradewind-typst-{}.pdf", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        let read = Command::new("pdftotext").args(["-raw", &file.display().to_string(), "-"]).output();
        std::fs::remove_file(&file).unwrap();
        // Without poppler there is no other reader to ask.
        let Ok(read) = read else { return eprintln!("skipped: pdftotext is not installed") };
        let read = String::from_utf8_lossy(&read.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(read, TEXT);
    }
}
