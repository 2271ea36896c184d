//! SVG pictures, made harmless twice: svg-hush keeps the elements and attributes that draw, and strips scripts, event handlers, links and
//! foreign references; what it lets pass is read once more by another reader, which keeps less and writes the result anew:
//!
//! - nothing that moves (`animate…`, `set`), embeds (`image`, `feImage`) or leads away (`a`);
//! - references only to the picture's own parts (`#name`), in attributes and in `url(…)`;
//! - of style sheets and `style` only plain declarations: no at-rules (imports, fonts), no escapes, no function that could load something;
//! - no DOCTYPE, entities, comments or processing instructions.
//!
//! A DOCTYPE that declares entities is refused, so that nothing expands. Depth, elements and re-uses of parts are bounded.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

/// Most elements.
const ELEMENTS_MAX: usize = 5_000;
/// Deepest nesting.
const DEPTH_MAX: usize = 64;
/// Most uses of a part: each may hold uses again, which multiplies.
const USES_MAX: usize = 32;

/// What svg-hush keeps and we don't.
const LEFT_OUT: &[&str] =
    &["a", "animate", "animateColor", "animateMotion", "animateTransform", "feImage", "image", "mpath", "mPath", "set", "view"];

/// Functions that a style may call: none of them loads anything.
const FUNCTIONS: &[&str] = &[
    "calc",
    "circle",
    "clamp",
    "cubic-bezier",
    "ellipse",
    "hsl",
    "hsla",
    "inset",
    "matrix",
    "matrix3d",
    "max",
    "min",
    "nth-child",
    "not",
    "polygon",
    "rgb",
    "rgba",
    "rotate",
    "scale",
    "scalex",
    "scaley",
    "skew",
    "skewx",
    "skewy",
    "translate",
    "translatex",
    "translatey",
    "var",
];

/// A picture that only draws.
#[derive(Debug)]
pub(super) struct Drawing {
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Makes an SVG file harmless. On an error the words say what is wrong with it and what to do.
pub(super) fn sanitise(file: &[u8]) -> Result<Drawing, String> {
    let text = std::str::from_utf8(file).map_err(|_| "is not UTF-8; save it as UTF-8".to_owned())?;
    if declares_entities(text) {
        return Err("declares entities in its DOCTYPE; export it as plain SVG".into());
    }
    let mut hushed = Vec::new();
    let kept = svg_hush::Filter::new().filter(file, &mut hushed);
    kept.map_err(|_| "is not a well-formed SVG drawing; export it again as plain SVG".to_owned())?;
    tighten(&hushed)
}

/// A DOCTYPE with an internal part. `<!` stands nowhere else in XML but in comments, CDATA and such declarations.
fn declares_entities(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("<!entity")
        || lower.split("<!doctype").skip(1).any(|rest| rest.split('>').next().is_some_and(|head| head.contains('[')))
}

/// Reads what svg-hush wrote, and writes what of it is kept.
fn tighten(hushed: &[u8]) -> Result<Drawing, String> {
    let broken = |_| "is not a well-formed SVG drawing; export it again as plain SVG".to_owned();
    let mut reader = Reader::from_reader(hushed);
    reader.config_mut().expand_empty_elements = true;
    let mut writer = Writer::new(Vec::new());
    let mut state = State::default();
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Start(start) => state.open(&start, &mut writer)?,
            Event::End(end) => {
                let keeps = state.close(&mut writer)?;
                if keeps {
                    writer.write_event(Event::End(end)).map_err(|_| unwritten())?;
                }
            }
            Event::Text(text) if state.keeps() => state.take(&text, &mut writer)?,
            // The reader gives references (`&amp;`) by themselves; only the five of XML and characters by number are left.
            Event::GeneralRef(reference) if state.keeps() => {
                state.take(&format!("&{};", &*reference), &mut writer)?;
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let (width, height) = state.size.ok_or("has no size; give its <svg> a viewBox, or a width and a height")?;
    Ok(Drawing { bytes: writer.into_inner(), width, height })
}

fn unwritten() -> String {
    "is not a well-formed SVG drawing; export it again as plain SVG".into()
}

#[derive(Default)]
struct State {
    depth: usize,
    elements: usize,
    uses: usize,
    /// The depth at which something that is left out began.
    skipped_from: Option<usize>,
    /// The depth of the style sheet that is read, whose text comes in pieces and is judged whole.
    sheet_at: Option<usize>,
    sheet: String,
    size: Option<(u32, u32)>,
}

impl State {
    fn keeps(&self) -> bool {
        self.skipped_from.is_none() && self.depth > 0
    }

    fn open(&mut self, start: &BytesStart<'_>, writer: &mut Writer<Vec<u8>>) -> Result<(), String> {
        (self.depth, self.elements) = (self.depth + 1, self.elements + 1);
        if self.depth > DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(format!(
                "is too intricate for a logo; simplify it to {ELEMENTS_MAX} elements, nested {DEPTH_MAX} deep at most"
            ));
        }
        if self.skipped_from.is_some() {
            return Ok(());
        }
        let name = start.local_name().as_ref().to_owned();
        if self.depth == 1 && name != "svg" {
            return Err("does not begin with <svg>; export it again as plain SVG".into());
        }
        if self.sheet_at.is_some() || LEFT_OUT.contains(&name.as_str()) {
            self.skipped_from = Some(self.depth);
            return Ok(());
        }
        self.uses += usize::from(name == "use");
        if self.uses > USES_MAX {
            return Err(format!("re-uses its parts more than {USES_MAX} times; flatten it"));
        }
        let mut kept = BytesStart::new(name.clone());
        if self.depth == 1 {
            kept.push_attribute(("xmlns", "http://www.w3.org/2000/svg"));
            self.size = size_of(start);
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| unwritten())?;
            let Some((key, value)) = attribute_of(&attribute)? else { continue };
            kept.push_attribute((key.as_str(), value.as_str()));
        }
        self.sheet_at = (name == "style").then_some(self.depth);
        writer.write_event(Event::Start(kept)).map_err(|_| unwritten())
    }

    /// Whether the end that was read is written.
    fn close(&mut self, writer: &mut Writer<Vec<u8>>) -> Result<bool, String> {
        let keeps = self.skipped_from.is_none_or(|from| self.depth < from);
        if self.skipped_from == Some(self.depth) {
            self.skipped_from = None;
        }
        if self.sheet_at == Some(self.depth) {
            self.sheet_at = None;
            let sheet = std::mem::take(&mut self.sheet);
            if is_plain_style(&sheet) {
                write(&sheet, writer)?;
            }
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(keeps)
    }

    fn take(&mut self, raw: &str, writer: &mut Writer<Vec<u8>>) -> Result<(), String> {
        let text = quick_xml::escape::unescape(raw).map_err(|_| unwritten())?;
        if self.sheet_at.is_some() {
            self.sheet.push_str(&text);
            return Ok(());
        }
        write(&text, writer)
    }
}

fn write(text: &str, writer: &mut Writer<Vec<u8>>) -> Result<(), String> {
    writer.write_event(Event::Text(quick_xml::events::BytesText::new(text))).map_err(|_| unwritten())
}

/// Name and value of an attribute that is kept.
fn attribute_of(attribute: &Attribute<'_>) -> Result<Option<(String, String)>, String> {
    let key = attribute.key.as_ref().to_owned();
    let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| unwritten())?.into_owned();
    let is_wanted = !key.contains(':')
        && key != "xmlns"
        && !key.to_ascii_lowercase().starts_with("on")
        && !key.starts_with("data-")
        && match key.as_str() {
            "href" => value.starts_with('#'),
            "id" | "class" | "d" | "points" | "viewBox" | "aria-label" => !value.contains(['<', '\0']),
            _ => is_plain_style(&value),
        };
    Ok(is_wanted.then_some((key, value)))
}

/// Whether a style sheet, a `style` or a value that could be one loads nothing: no at-rules, no escapes, no functions but those that we
/// know, and `url(…)` only of the picture's own parts.
fn is_plain_style(text: &str) -> bool {
    if text.contains(['@', '\\', '<', '\0'])
        || ["/*", "//"].iter().any(|bad| text.contains(bad))
        || text.to_ascii_lowercase().contains("javascript:")
    {
        return false;
    }
    // What was cut off in the middle is not trusted to mean what it says.
    if text.matches('(').count() != text.matches(')').count() {
        return false;
    }
    let mut rest = text;
    while let Some(at) = rest.find('(') {
        let before = &rest[..at];
        let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || !c.is_ascii();
        let name_from = before.char_indices().rev().take_while(|(_, c)| is_name(*c)).last().map_or(at, |(from, _)| from);
        let name = before[name_from..].to_ascii_lowercase();
        let argument = rest[at + 1..].trim_start_matches([' ', '"', '\'']);
        let is_own_part = name == "url" && argument.starts_with('#') && argument.contains(')');
        if !(name.is_empty() || is_own_part || FUNCTIONS.contains(&name.as_str())) {
            return false;
        }
        rest = &rest[at + 1..];
    }
    true
}

/// Width and height in pixels: of the viewBox, else of the attributes.
fn size_of(svg: &BytesStart<'_>) -> Option<(u32, u32)> {
    let value = |name: &str| {
        let attribute = svg.try_get_attribute(name).ok().flatten()?;
        Some(attribute.value.into_owned())
    };
    let length = |text: &str| {
        let number = text.trim().trim_end_matches("px").parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0)?;
        Some(number.ceil().min(f64::from(u32::MAX)) as u32)
    };
    let of_box = value("viewBox").and_then(|text| {
        let numbers: Vec<&str> = text.split([' ', ',']).filter(|part| !part.is_empty()).collect();
        if let [_, _, width, height] = numbers[..] { length(width).zip(length(height)) } else { None }
    });
    of_box.or_else(|| value("width").as_deref().and_then(length).zip(value("height").as_deref().and_then(length)))
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
