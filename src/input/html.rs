//! HTML → text in reading order.
//!
//! The tokenizer is that of a browser; no tree is built, so that neither depth nor length of a page matters. What a reader
//! does not see (scripts, styles, the head) is left out; block elements make lines; everything else is running text.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its text.
    pub text: String,
    /// Its title.
    pub title: Option<String>,
    /// Its own address.
    pub url: Option<String>,
    /// When it was published.
    pub date: Option<String>,
}

/// Elements whose content is no text of the page.
const UNSEEN: [&str; 14] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select", "datalist", "noframes",
    "noembed", "canvas", "textarea",
];

/// Elements that stand apart, with an empty line around them.
const PARAGRAPHS: [&str; 20] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "ul",
    "ol",
    "dl",
    "table",
    "article",
    "section",
    "header",
    "footer",
    "nav",
    "aside",
    "hr",
];

/// Elements that begin on a line of their own.
const LINES: [&str; 19] = [
    "div",
    "li",
    "tr",
    "br",
    "dt",
    "dd",
    "figure",
    "figcaption",
    "form",
    "fieldset",
    "legend",
    "main",
    "address",
    "details",
    "summary",
    "option",
    "caption",
    "body",
    "center",
];

/// Reads a page. Linear.
pub(crate) fn read(html: &str) -> Page {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Reader::default())), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

struct Sink(RefCell<Reader>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return reader.tag(&tag),
            Token::CharacterTokens(text) => reader.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// The element whose content is left out, and how many of them are open.
    unseen: Option<(String, usize)>,
    /// The title's text, while it is open.
    title: Option<String>,
    in_head: bool,
    preformatted: usize,
    /// Line ends to write before the next word: none, one, or two for an empty line.
    breaks: usize,
    /// Whether blanks stand before the next word.
    blank: bool,
}

impl Reader {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let is_start = tag.kind == TagKind::StartTag;
        match &mut self.unseen {
            Some((open, count)) if open == name => {
                if is_start && !tag.self_closing {
                    *count += 1;
                } else if !is_start {
                    *count -= 1;
                    if *count == 0 {
                        self.unseen = None;
                    }
                }
                return TokenSinkResult::Continue;
            }
            // Whatever was left open, the page ends here.
            Some(_) if name == "html" && !is_start => self.unseen = None,
            Some(_) => return TokenSinkResult::Continue,
            None => {}
        }
        if is_start {
            self.start(name, tag)
        } else {
            self.end(name);
            TokenSinkResult::Continue
        }
    }

    fn start(&mut self, name: &str, tag: &Tag) -> TokenSinkResult<()> {
        let is_void = name == "svg" && tag.self_closing;
        if UNSEEN.contains(&name) && !is_void {
            self.unseen = Some((name.to_owned(), 1));
        }
        match name {
            "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "iframe" | "noframes" | "noembed" => return TokenSinkResult::RawData(RawKind::Rawtext),
            "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
            "title" => {
                self.title = Some(String::new());
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "head" => self.in_head = true,
            "meta" | "link" => self.meta(name, tag),
            "pre" => self.preformatted += 1,
            "td" | "th" => self.blank = true,
            _ => {}
        }
        if name == "body" {
            self.in_head = false;
        }
        self.stand_apart(name);
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
        match name {
            "title" => {
                let title = self.title.take().unwrap_or_default();
                let words: Vec<&str> = title.split_whitespace().collect();
                if self.page.title.is_none() && !words.is_empty() {
                    self.page.title = Some(words.join(" "));
                }
            }
            "head" => self.in_head = false,
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
        self.stand_apart(name);
    }

    fn stand_apart(&mut self, name: &str) {
        if PARAGRAPHS.contains(&name) {
            self.breaks = 2;
        } else if LINES.contains(&name) {
            self.breaks = self.breaks.max(1);
        }
    }

    fn meta(&mut self, name: &str, tag: &Tag) {
        let of = |wanted: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == wanted);
            found.map(|attribute| attribute.value.trim()).filter(|value| !value.is_empty())
        };
        let slot = match (name, of("property").or_else(|| of("name")).or_else(|| of("itemprop")).or_else(|| of("rel")))
        {
            ("meta", Some("article:published_time" | "datePublished" | "pubdate" | "date" | "DC.date.issued")) => {
                &mut self.page.date
            }
            ("meta", Some("og:url")) | ("link", Some("canonical")) => &mut self.page.url,
            _ => return,
        };
        let value = of(if name == "link" { "href" } else { "content" });
        if slot.is_none() {
            *slot = value.map(str::to_owned);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(title) = &mut self.title {
            title.push_str(text);
            return;
        }
        if self.unseen.is_some() {
            return;
        }
        // What follows the head without a body's tag is the body.
        if self.in_head && text.trim().is_empty() {
            return;
        }
        if self.preformatted > 0 {
            self.begin();
            self.page.text.push_str(text);
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let word_at = rest.find(|c: char| !is_blank(c)).unwrap_or(rest.len());
            self.blank |= word_at > 0;
            rest = &rest[word_at..];
            let end = rest.find(is_blank).unwrap_or(rest.len());
            if end > 0 {
                self.begin();
                self.page.text.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }

    /// Writes what stands before the next word.
    fn begin(&mut self) {
        let text = &mut self.page.text;
        if text.is_empty() {
        } else if self.breaks > 0 {
            text.extend(std::iter::repeat_n('\n', self.breaks));
        } else if self.blank {
            text.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
    }

    fn finish(mut self) -> Page {
        if !self.page.text.is_empty() && !self.page.text.ends_with('\n') {
            self.page.text.push('\n');
        }
        self.page
    }
}

/// Blanks that a browser collapses; a no-break space is a character.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_is_what_a_reader_sees_in_reading_order() {
        let page = read(
            "<!doctype html><html><head><title> A &amp; B\n</title><style>p{}</style>\
             <meta property='article:published_time' content='2024-05-01'><link rel=canonical href='https://a.example/x'>\
             </head><body><nav><ul><li>Home<li>News</ul></nav><p>One <b>two</b>\n three&nbsp;&eacute;.<p>Next<br>line\
             <script>if (a<b) { \"</p>\" }</script><noscript><img></noscript><pre>  x\n  y</pre>\
             <table><tr><td>1</td><td>2</td></tr></table><svg><title>no</title><text>no</text></svg></body></html>",
        );
        assert_eq!(page.text, "Home\nNews\n\nOne two three\u{a0}\u{e9}.\n\nNext\nline\n\n  x\n  y\n\n1 2\n");
        assert_eq!(page.title.as_deref(), Some("A & B"));
        assert_eq!((page.date.as_deref(), page.url.as_deref()), (Some("2024-05-01"), Some("https://a.example/x")));
    }

    #[test]
    fn tags_without_order_and_depth_without_end_are_read() {
        assert_eq!(read("</p>a</b><i>b</div>c").text, "ab\nc\n");
        assert_eq!(read(&format!("{}deep", "<div>".repeat(200_000))).text, "deep\n");
        assert_eq!(read("<svg><svg></svg>no</svg>yes").text, "yes\n");
        assert_eq!(read("plain").text, "plain\n");
        assert_eq!(read("").text, "");
    }

    proptest! {
        #[test]
        fn any_text_is_read(html in "[<>/a-z &;!\\-\"'=\n]{0,200}") {
            read(&html);
        }
    }
}
