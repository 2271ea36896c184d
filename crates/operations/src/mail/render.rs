//! A letter as text and as HTML. Everything that is put in is escaped; there is no other way to put something in.

use std::fmt::Write as _;

use super::brand::Brand;
use crate::rules::Language;

/// One line for a header: without line ends and other control characters, so that nothing can follow it as a header of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Line {
    /// Longest line, in characters.
    const MAX: usize = 200;

    pub fn new(text: &str) -> Self {
        let plain: String = text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect();
        let words: Vec<&str> = plain.split_whitespace().collect();
        Self(words.join(" ").chars().take(Self::MAX).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Marks that turn the direction of text round and line separators of Unicode: they make one line look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// What an e-mail says.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub subject: Line,
    pub heading: String,
    pub paragraphs: Vec<String>,
    /// Groups of lines, each under a heading of its own.
    pub groups: Vec<(String, Vec<String>)>,
    /// What to press, and where it leads.
    pub button: Option<(&'static str, String)>,
    /// What stands below in small letters.
    pub note: Option<String>,
}

/// A letter in both forms.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub text: String,
    pub html: String,
}

/// Only what a browser opens as a page is a link.
fn is_link(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(|c: char| c.is_control() || c.is_whitespace())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `#rrggbb`, or else ours.
fn colour<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    let is_colour = text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|b| b.is_ascii_hexdigit());
    if is_colour { text } else { otherwise }
}

pub(crate) fn render(letter: &Letter, brand: &Brand, language: Language) -> Rendered {
    Rendered { text: text(letter, brand), html: html(letter, brand, language) }
}

fn text(letter: &Letter, brand: &Brand) -> String {
    let mut out = format!("{}\n\n{}\n", brand.name, letter.heading);
    for paragraph in &letter.paragraphs {
        let _ = write!(out, "\n{paragraph}\n");
    }
    for (heading, lines) in &letter.groups {
        let _ = write!(out, "\n{heading}\n");
        for line in lines {
            let _ = writeln!(out, "- {line}");
        }
    }
    if let Some((label, url)) = letter.button.as_ref().filter(|(_, url)| is_link(url)) {
        let _ = write!(out, "\n{label}:\n{url}\n");
    }
    if let Some(note) = &letter.note {
        let _ = write!(out, "\n{note}\n");
    }
    out.push_str("\n-- \n");
    if let Some(support) = &brand.support {
        let _ = writeln!(out, "{}: {}", support.label, support.url);
    }
    if !brand.footer.is_empty() {
        let _ = writeln!(out, "{}", brand.footer);
    }
    out
}

fn html(letter: &Letter, brand: &Brand, language: Language) -> String {
    let (back, front) = (colour(&brand.colour, "#1c5d99"), colour(&brand.text_on_colour, "#ffffff"));
    let logo = brand.logo.as_ref().filter(|url| is_link(url));
    let name = escaped(&brand.name);
    let head = logo.map_or_else(
        || name.clone(),
        |url| format!("<img src=\"{}\" alt=\"{name}\" height=\"32\" style=\"height:32px;border:0\">", escaped(url)),
    );
    let mut out = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title></head><body style=\"margin:0;background:#f4f5f7;font-family:Arial,Helvetica,sans-serif;color:#1f2933\">\
         <div style=\"max-width:600px;margin:0 auto;padding:24px\">\
         <div style=\"background:{back};color:{front};padding:16px 24px;font-size:18px;font-weight:bold\">{head}</div>\
         <div style=\"background:#ffffff;padding:24px\"><h1 style=\"font-size:20px;margin:0 0 16px\">{}</h1>",
        language.pick("en", "de"),
        escaped(letter.subject.as_str()),
        escaped(&letter.heading)
    );
    for paragraph in &letter.paragraphs {
        let _ = write!(out, "<p style=\"line-height:1.5\">{}</p>", escaped(paragraph));
    }
    for (heading, lines) in &letter.groups {
        let _ = write!(out, "<h2 style=\"font-size:16px;margin:16px 0 4px\">{}</h2><ul>", escaped(heading));
        for line in lines {
            let _ = write!(out, "<li>{}</li>", escaped(line));
        }
        out.push_str("</ul>");
    }
    if let Some((label, url)) = letter.button.as_ref().filter(|(_, url)| is_link(url)) {
        let (label, url) = (escaped(label), escaped(url));
        let _ = write!(
            out,
            "<p style=\"margin:24px 0\"><a href=\"{url}\" style=\"background:{back};color:{front};padding:12px 20px;\
             text-decoration:none;display:inline-block\">{label}</a></p>\
             <p style=\"font-size:13px;word-break:break-all\"><a href=\"{url}\">{url}</a></p>"
        );
    }
    if let Some(note) = &letter.note {
        let _ = write!(out, "<p style=\"font-size:13px;color:#52606d\">{}</p>", escaped(note));
    }
    out.push_str("</div><div style=\"padding:16px 24px;font-size:12px;color:#52606d\">");
    if let Some(support) = brand.support.as_ref().filter(|support| is_link(&support.url)) {
        let _ = write!(out, "<p><a href=\"{}\">{}</a></p>", escaped(&support.url), escaped(&support.label));
    }
    if !brand.footer.is_empty() {
        let _ = write!(out, "<p>{}</p>", escaped(&brand.footer));
    }
    out.push_str("</div></div></body></html>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Support;

    fn brand() -> Brand {
        Brand {
            name: "North & <West>".into(),
            colour: "#123456".into(),
            text_on_colour: "red;} body{".into(),
            logo: Some("javascript:alert(1)".into()),
            support: Some(Support { label: "Help".into(), url: "https://help.example/?a=1&b=2".into() }),
            footer: "Northwind\n<script>".into(),
        }
    }

    #[test]
    fn nothing_that_is_put_in_becomes_markup_or_style() {
        let letter = Letter {
            subject: Line::new("Hello\r\nBcc: a@b.co\u{2028}x"),
            heading: "<b>Hi</b>".into(),
            paragraphs: vec!["\"quoted\" <img src=x onerror=y>".into()],
            groups: vec![("<i>".into(), vec!["<u>".into()])],
            button: Some(("Open", "https://hub.example/?a=\"b\"&c=<d>".into())),
            note: None,
        };
        let Rendered { html, text } = render(&letter, &brand(), Language::En);
        assert_eq!(letter.subject.as_str(), "Hello Bcc: a@b.co x");
        for bad in ["<b>Hi", "<img src=x", "<script>", "javascript:", "red;}", "<i>", "<u>", "\"b\"&c"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("#123456") && html.contains("#ffffff") && html.contains("North &amp; &lt;West&gt;"));
        assert!(text.contains("https://hub.example/") && text.contains("Northwind\n<script>"));
    }

    #[test]
    fn a_button_leads_to_a_page_or_nowhere() {
        let mut letter = Letter {
            subject: Line::new("x"),
            heading: String::new(),
            paragraphs: vec![],
            groups: vec![],
            button: Some(("Open", "data:text/html,x".into())),
            note: None,
        };
        assert!(!render(&letter, &brand(), Language::De).html.contains("data:"));
        letter.button = Some(("Open", "https://x.example/a b".into()));
        assert!(!render(&letter, &brand(), Language::De).text.contains("x.example/a b"));
    }
}
