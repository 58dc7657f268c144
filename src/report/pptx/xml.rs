//! How does an element of Office's XML become bytes? A tree of tags; quick-xml writes and escapes it, so that no word of
//! a report can break a file.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// An element with its attributes, and what is in it.
pub(super) struct Tag {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    inside: Vec<Inside>,
}

enum Inside {
    Tag(Tag),
    Text(String),
}

/// An empty element.
pub(super) fn tag(name: &'static str) -> Tag {
    Tag { name, attributes: Vec::new(), inside: Vec::new() }
}

/// An element whose only attribute is `val`, which charts are full of.
pub(super) fn val(name: &'static str, value: impl ToString) -> Tag {
    tag(name).at("val", value)
}

impl Tag {
    /// With one more attribute, on one line: a reader of XML would make a space of a line break.
    pub(super) fn at(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, line(&value.to_string())));
        self
    }

    /// With one more element in it.
    pub(super) fn with(mut self, inner: Tag) -> Self {
        self.inside.push(Inside::Tag(inner));
        self
    }

    /// With more elements in it: some, or one that may not be there.
    pub(super) fn all(mut self, inner: impl IntoIterator<Item = Tag>) -> Self {
        self.inside.extend(inner.into_iter().map(Inside::Tag));
        self
    }

    /// With words in it.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.inside.push(Inside::Text(line(text)));
        self
    }

    /// The document that has this as its root.
    pub(super) fn document(&self) -> std::io::Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new());
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), Some("yes"))))?;
        self.write(&mut writer)?;
        Ok(writer.into_inner())
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name);
        for (name, value) in &self.attributes {
            start.push_attribute((*name, value.as_str()));
        }
        if self.inside.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        for inside in &self.inside {
            match inside {
                Inside::Tag(tag) => tag.write(writer)?,
                Inside::Text(text) => writer.write_event(Event::Text(BytesText::new(text)))?,
            }
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

/// The words on one line. Control characters have no place in XML, not even escaped: each becomes a space.
fn line(text: &str) -> String {
    let space = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    let none = |letter: &char| !matches!(letter, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(none).map(|letter| if space(letter) { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_breaks_a_document() {
        let evil = "a<b> & \"c\" 'd' $x$ \u{1}\u{b}\nمبيعات 🙂 \u{ffff}]]>";
        let bytes = tag("a:t").at("descr", evil).text(evil).document().unwrap();
        let page = String::from_utf8(bytes).unwrap();
        let escaped = "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; $x$    مبيعات 🙂 ]]&gt;";
        assert!(page.ends_with(&format!("<a:t descr=\"{escaped}\">{escaped}</a:t>")), "{page}");
        assert!(page.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>"));
    }
}
