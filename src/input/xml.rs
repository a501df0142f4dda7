//! The XML and the TEI that trafilatura writes, as text: a line for every paragraph, heading, list item and row.
//!
//! Entities that a document defines itself are not replaced: such a definition can stand for text without end.
//!
//! # Source
//! A. Barbaresi, *Trafilatura: A Web Scraping Library and Command-Line Tool for Text Discovery and Extraction*, 2021, and
//! the files it writes with `--xml` and `--xmltei`; TEI P5.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::input::html::Page;

/// Bytes in which the element of a document must begin for its form to be known.
const HEAD_BYTES: usize = 4 << 10;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `doc`, what is known of it in attributes.
    Plain,
    /// `TEI`, with a header.
    Tei,
}

impl Form {
    fn of_root(name: &str) -> Option<Form> {
        match name {
            "doc" => Some(Form::Plain),
            "TEI" => Some(Form::Tei),
            _ => None,
        }
    }
}

/// Returns whether what begins like this is a document of trafilatura's: other XML holds no articles.
pub(super) fn is_article(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&head[..head.len().min(HEAD_BYTES)]);
    let mut reader = Reader::from_str(&head);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => return Form::of_root(element.local_name().as_ref()).is_some(),
            Ok(Event::Eof | Event::Empty(_)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// Reads a document.
///
/// # Errors
/// If it is not well-formed, or none of trafilatura's: says what is wrong.
pub(super) fn read(xml: &str) -> Result<Page, String> {
    let mut reader = Reader::from_str(xml);
    let mut document = Document::default();
    loop {
        let broken = |at: u64, error: &dyn std::fmt::Display| format!("broken XML at byte {at}: {error}");
        let event = reader.read_event().map_err(|error| broken(reader.error_position(), &error))?;
        let at = reader.buffer_position();
        match event {
            Event::Start(element) => document.begin(&element)?,
            Event::Empty(element) => {
                document.begin(&element)?;
                document.end();
            }
            Event::End(_) => document.end(),
            Event::Text(text) => document.text(&text),
            Event::CData(text) => document.text(&text),
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().map_err(|error| broken(at, &error))?;
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => document.text(character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => document.text(text),
                    (None, None) => document.text(&format!("&{};", &*name)),
                }
            }
            Event::Eof if document.open.is_empty() && document.form.is_some() => return Ok(document.page()),
            Event::Eof => return Err(broken(at, &"it ends before its first element does")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// What an element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Text that a reader sees, or that is around it.
    Shown,
    /// The header of a TEI document, and what is not looked at in it.
    Header,
    /// A place in the header where something of the document is said.
    Title,
    Date,
}

/// A document being read.
#[derive(Default)]
struct Document {
    form: Option<Form>,
    /// The elements around what is read.
    open: Vec<(Part, bool)>,
    page: Page,
    /// The line that is being read.
    line: String,
    /// Whether blanks stand between its last word and the next.
    is_apart: bool,
}

impl Document {
    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let name = element.local_name();
        let name = name.as_ref();
        if self.form.is_none() {
            let form = Form::of_root(name).ok_or_else(|| {
                format!("expected an element `doc` or `TEI`, as trafilatura writes them, found `{name}`")
            })?;
            self.form = Some(form);
            if form == Form::Plain {
                self.page.title = attribute(element, "title");
                self.page.date = attribute(element, "date");
                self.page.url = attribute(element, "source").or_else(|| attribute(element, "url"));
            }
        }
        let around = self.open.last().map_or(Part::Shown, |(part, _)| *part);
        let is_of = |kind: &str| attribute(element, "type").as_deref() == Some(kind);
        let part = match (around, name) {
            (Part::Shown, "teiHeader") => Part::Header,
            (Part::Shown, _) => Part::Shown,
            (_, "title") if is_of("main") && self.page.title.is_none() => Part::Title,
            (_, "date") if self.page.date.is_none() && !is_of("download") => Part::Date,
            (_, "ptr") => {
                self.page.url = self.page.url.take().or_else(|| attribute(element, "target"));
                Part::Header
            }
            _ => Part::Header,
        };
        let breaks = part != Part::Shown || breaks_line(name);
        if breaks {
            self.end_line(around);
        }
        self.is_apart |= name == "cell";
        self.open.push((part, breaks));
        Ok(())
    }

    fn end(&mut self) {
        let Some((part, breaks)) = self.open.pop() else { return };
        if breaks {
            self.end_line(part);
        }
    }

    fn text(&mut self, text: &str) {
        for (at, word) in text.split(char::is_whitespace).enumerate() {
            self.is_apart |= at > 0;
            if !word.is_empty() {
                if std::mem::take(&mut self.is_apart) && !self.line.is_empty() {
                    self.line.push(' ');
                }
                self.line.push_str(word);
            }
        }
    }

    /// Ends the line that is being read, which stood in such a part.
    fn end_line(&mut self, part: Part) {
        self.is_apart = false;
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        match part {
            Part::Shown => {
                self.page.text.push_str(&line);
                self.page.text.push('\n');
            }
            Part::Title => self.page.title = Some(line),
            Part::Date => self.page.date = Some(line),
            Part::Header => {}
        }
    }

    fn page(mut self) -> Page {
        self.end_line(Part::Shown);
        self.page
    }
}

/// Returns whether a line ends where such an element begins and ends.
fn breaks_line(name: &str) -> bool {
    !matches!(name, "hi" | "ref" | "del" | "cell" | "graphic" | "code" | "supplied" | "span")
}

/// Returns an attribute's value, if there is one that says something.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|one| one.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &str = r##"<?xml version="1.0" encoding="utf-8"?>
<doc sitename="example.org" title="A bridge &amp; a river" author="A. B." date="2024-05-01"
     source="https://www.example.org/a" hostname="example.org" fingerprint="ab">
  <main>
    <head rend="h2">The   bridge</head>
    <p>It was <hi rend="#b">closed</hi> on Monday,
       said <ref target="https://x.example">the mayor</ref>.<lb/>Nobody was hurt &#8212; &lt;yet&gt;.</p>
    <list rend="ul"><item>One</item><item>Two</item></list>
    <table><row><cell>A</cell><cell>B</cell></row></table>
    <p/>
  </main>
  <comments><p>First!</p></comments>
</doc>"##;

    const TEI: &str = r#"<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc>
<titleStmt><title type="main">A bridge</title><author>A. B.</author></titleStmt>
<publicationStmt><publisher>example.org</publisher><p/></publicationStmt>
<sourceDesc><bibl>A bridge</bibl><biblFull><titleStmt><title type="main">Another title</title></titleStmt>
<publicationStmt><publisher>example.org</publisher><ptr type="URL" target="https://www.example.org/a"/>
<date>2024-05-01</date></publicationStmt></biblFull></sourceDesc></fileDesc>
<profileDesc><creation><date type="download">2025-01-01</date></creation></profileDesc></teiHeader>
<text><body><div type="entry"><p>It was closed.</p></div><div type="comments"><p>First!</p></div></body></text></TEI>"#;

    #[test]
    fn a_document_is_lines_of_text_with_what_is_known_of_it() {
        let page = read(PLAIN).unwrap();
        assert_eq!(
            page.text,
            "The bridge\nIt was closed on Monday, said the mayor.\nNobody was hurt \u{2014} <yet>.\nOne\nTwo\nA B\nFirst!\n"
        );
        assert_eq!(page.title.as_deref(), Some("A bridge & a river"));
        assert_eq!(page.date.as_deref(), Some("2024-05-01"));
        assert_eq!(page.url.as_deref(), Some("https://www.example.org/a"));
    }

    #[test]
    fn the_header_of_a_tei_document_is_no_text() {
        let page = read(TEI).unwrap();
        assert_eq!(page.text, "It was closed.\nFirst!\n");
        assert_eq!(page.title.as_deref(), Some("A bridge"));
        assert_eq!(page.date.as_deref(), Some("2024-05-01"));
        assert_eq!(page.url.as_deref(), Some("https://www.example.org/a"));
    }

    #[test]
    fn other_and_broken_xml_says_what_is_wrong() {
        assert!(is_article(PLAIN.as_bytes()) && is_article(TEI.as_bytes()));
        assert!(!is_article(b"<?xml version=\"1.0\"?><rss><channel/></rss>") && !is_article(b"no XML"));
        assert_eq!(
            read("<rss/>").unwrap_err(),
            "expected an element `doc` or `TEI`, as trafilatura writes them, found `rss`"
        );
        for broken in ["<doc><p>a</doc>", "<doc><p>a", "<doc", "", "no XML"] {
            assert!(read(broken).unwrap_err().starts_with("broken XML"), "{broken}");
        }
    }

    #[test]
    fn entities_of_its_own_are_not_replaced_and_depth_is_no_harm() {
        let bomb = "<!DOCTYPE doc [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><doc><p>&b;</p></doc>";
        assert_eq!(read(bomb).unwrap().text, "&b;\n");
        let deep = format!("<doc>{}deep{}</doc>", "<p>".repeat(100_000), "</p>".repeat(100_000));
        assert_eq!(read(&deep).unwrap().text, "deep\n");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/&;a-z!\\[\\]\"= -]{0,80}") {
            let _ = read(&format!("<doc>{text}"));
            let _ = is_article(text.as_bytes());
        }
    }
}
