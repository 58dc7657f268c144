//! How do compressed bytes in some encoding become text, without filling the memory?
//!
//! Compression is detected by the first bytes, not the name. Files that unpack to far more than any table does are
//! refused while they are unpacked. The encoding of bytes that are not UTF-8 is guessed by chardetng, the detector of
//! web browsers.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::error::{Error, Result};

/// How many bytes of a file are inspected before it is read.
const SAMPLE: usize = 64 * 1024;
/// Tables rarely compress better than 50 to 1; a decompression bomb compresses a thousand to one.
const MOST_UNPACKED: u64 = 200;
/// Below this, what it unpacks to does no harm.
const HARMLESS: u64 = 256 << 20;
/// A row longer than this is no row.
const LONGEST_ROW: u64 = 64 << 20;

/// A text file: what it is packed with and in what it is written.
pub(super) struct Text<'a> {
    path: &'a Path,
    pub(super) source: String,
    packed: Option<&'static str>,
    encoding: Option<&'static Encoding>,
    /// The first kilobytes, decoded, cut after a whole line if there are several.
    pub(super) sample: String,
    pub(super) found: Vec<String>,
}

impl<'a> Text<'a> {
    /// Looks at the first kilobytes. `stated` is the name of the encoding, if the user knows it.
    pub(super) fn open(path: &'a Path, stated: Option<&str>) -> Result<Self> {
        let source = path.display().to_string();
        let mut start = [0; 4];
        let cannot = |cause: io::Error| Error::io(format!("{source} cannot be read")).because(cause);
        let n = read_up_to(&mut crate::files::open(path)?, &mut start).map_err(cannot)?;
        let packed = match &start[..n] {
            [0x1f, 0x8b, ..] => Some("gzip"),
            [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
            _ => None,
        };
        let encoding = match stated {
            None => None,
            Some(name) => Some(Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                Error::usage(format!("`{name}` is not an encoding; write utf-8, latin1, windows-1252, utf-16le …"))
            })?),
        };
        let mut text = Self { path, source, packed, encoding, sample: String::new(), found: Vec::new() };
        let mut bytes = vec![0; SAMPLE];
        let n =
            text.unpacked().and_then(|mut reader| read_up_to(&mut reader, &mut bytes)).map_err(|e| text.broken(e))?;
        bytes.truncate(n);
        text.understand(bytes, n == SAMPLE)?;
        if let Some(packed) = packed {
            text.found.insert(0, format!("unpacked from {packed}"));
        }
        Ok(text)
    }

    fn understand(&mut self, bytes: Vec<u8>, cut: bool) -> Result<()> {
        let marked = Encoding::for_bom(&bytes);
        let sixteen = marked.is_some_and(|(encoding, _)| encoding != encoding_rs::UTF_8);
        if self.encoding.is_none() && !sixteen {
            let strange = bytes.iter().filter(|b| **b < 32 && !b"\t\r\n\x0c\x1a".contains(b)).count();
            if bytes.contains(&0) || strange * 100 > bytes.len() {
                return Err(Error::data(format!(
                    "{} is not a text file: it holds bytes that are not text; state its encoding if it is one",
                    self.source
                )));
            }
            let cut_inside = std::str::from_utf8(&bytes).err().is_some_and(|error| cut && error.error_len().is_none());
            if std::str::from_utf8(&bytes).is_err() && !cut_inside {
                self.guess(&bytes);
            }
        }
        let encoding = self.encoding.unwrap_or(encoding_rs::UTF_8);
        if let Some((encoding, _)) = marked {
            self.found.push(format!("encoding {} with a byte-order mark", encoding.name()));
        } else if self.encoding.is_some() {
            self.found.push(format!("encoding {}", encoding.name()));
        }
        let (decoded, ..) = encoding.decode(&bytes);
        let end = if cut { decoded.rfind('\n').map_or(decoded.len(), |end| end + 1) } else { decoded.len() };
        self.sample = decoded[..end].to_string();
        Ok(())
    }

    fn guess(&mut self, bytes: &[u8]) {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        self.encoding = Some(detector.guess(None, Utf8Detection::Deny));
    }

    /// Takes bytes that are not UTF-8 for what they look like; false if the encoding was known already.
    pub(super) fn reconsider(&mut self, bytes: &[u8]) -> bool {
        if self.encoding.is_some() {
            return false;
        }
        self.guess(bytes);
        let name = self.encoding.map_or("", Encoding::name);
        self.found.push(format!("encoding {name}"));
        true
    }

    fn unpacked(&self) -> io::Result<Box<dyn Read>> {
        let file = crate::files::open(self.path).map_err(|error| io::Error::other(error.to_string()))?;
        let length = file.metadata()?.len();
        let file = BufReader::with_capacity(1 << 18, file);
        let bounded = |inner: Box<dyn Read>| Box::new(Bounded { inner, length, read: 0 }) as Box<dyn Read>;
        Ok(match self.packed {
            Some("gzip") => bounded(Box::new(flate2::bufread::MultiGzDecoder::new(file))),
            Some(_) => bounded(Box::new(zstd::stream::read::Decoder::with_buffer(file)?)),
            None => Box::new(file),
        })
    }

    /// The text as UTF-8 from the start, without its byte-order mark, as far as it is UTF-8; `guard` sees what passes.
    pub(super) fn reader(&self, guard: &Guard) -> Result<impl Read + use<>> {
        let bytes = self.unpacked().map_err(|cause| self.broken(cause))?;
        let decoded = DecodeReaderBytesBuilder::new()
            .encoding(self.encoding)
            .utf8_passthru(true)
            .strip_bom(true)
            .bom_override(true)
            .build(bytes);
        Ok(Guarded { inner: decoded, guard: guard.clone() })
    }

    /// What an error while reading means.
    pub(super) fn broken(&self, cause: io::Error) -> Error {
        if let Some(Refusal(why)) = cause.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Error::data(format!("{} {why}", self.source));
        }
        match self.packed {
            Some(packed) => Error::data(format!("{} is damaged: it does not unpack as {packed}", self.source)),
            None => Error::io(format!("{} cannot be read", self.source)),
        }
        .because(cause)
    }
}

/// Why reading stops, in words that follow the file's name.
#[derive(Debug)]
struct Refusal(String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Watches what passes: how many lines and quotes, and how long the row at hand has become.
#[derive(Clone, Default)]
pub(super) struct Guard(Rc<Watched>);

#[derive(Default)]
struct Watched {
    passed: Cell<u64>,
    row: Cell<u64>,
    quotes: Cell<u64>,
    quote: Cell<u8>,
}

impl Guard {
    pub(super) fn new(quote: u8) -> Self {
        let guard = Self::default();
        guard.0.quote.set(quote);
        guard
    }

    /// A row begins at this byte.
    pub(super) fn row_at(&self, byte: u64) {
        self.0.row.set(byte);
    }

    /// Was a quote opened and not closed?
    pub(super) fn open_quote(&self) -> bool {
        self.0.quotes.get() % 2 == 1
    }
}

struct Guarded<R> {
    inner: R,
    guard: Guard,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let watched = &*self.guard.0;
        watched.passed.set(watched.passed.get() + n as u64);
        let quote = watched.quote.get();
        watched.quotes.set(watched.quotes.get() + buffer[..n].iter().filter(|b| **b == quote).count() as u64);
        if watched.passed.get() - watched.row.get().min(watched.passed.get()) > LONGEST_ROW {
            return Err(io::Error::other(Refusal(format!(
                "has a row of more than {} MB: a line without an end, or a quote that is not closed",
                LONGEST_ROW >> 20
            ))));
        }
        Ok(n)
    }
}

/// Stops unpacking what unpacks to far more than tables do.
struct Bounded {
    inner: Box<dyn Read>,
    length: u64,
    read: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read += n as u64;
        if self.read > HARMLESS && self.read / MOST_UNPACKED > self.length {
            return Err(io::Error::other(Refusal(format!(
                "unpacks to more than {MOST_UNPACKED} times its size, as no table does; unpack it yourself if it is one"
            ))));
        }
        Ok(n)
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
