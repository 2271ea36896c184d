//! Findings as CSV (RFC 4180), page by page: each page is read through the door of its own, so that no slow client holds anything.

use access::actions;
use axum::body::{Body, Bytes};
use futures_util::stream;
use kernel::{PageQuery, Result, TenantCx};

use super::filter::Filter;
use super::{Finding, store};

/// Most rows of one file.
const ROWS_MAX: usize = 100_000;
/// Rows read at once: pages of the list's own size, five at a time.
const PAGE: u32 = kernel::paging::LIMIT_MAX;
const PAGES_AT_ONCE: usize = 5;

const HEAD: &str = "id,title,severity,status,lifecycle,result,control,control_title,resource,resource_name,resource_kind,region,account,\
                    tool,first_seen_at,last_seen_at,age_days,assignee,comments\r\n";

struct Export {
    cx: TenantCx,
    page: PageQuery,
    filter: Filter,
    rows: usize,
    ended: bool,
}

/// The file. Its first rows are read before it begins, so that what goes wrong at once is a problem and not half a file.
pub(super) async fn stream(cx: TenantCx, page: PageQuery, filter: Filter) -> Result<Body> {
    let page = PageQuery { cursor: None, limit: Some(PAGE), ..page };
    let mut export = Export { cx, page, filter, rows: 0, ended: false };
    let first = export.more().await?;
    let head = Bytes::from([HEAD.as_bytes(), &first].concat());
    let rest = stream::unfold(export, |mut export| async move {
        if export.ended {
            return None;
        }
        let more = export.more().await.map(Bytes::from).map_err(std::io::Error::other);
        export.ended |= more.is_err();
        Some((more, export))
    });
    let whole = futures_util::StreamExt::chain(stream::once(async move { Ok(head) }), rest);
    Ok(Body::from_stream(whole))
}

impl Export {
    /// The next thousand rows.
    async fn more(&mut self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut tx = self.cx.read::<actions::FindingExport>().await?;
        for _ in 0..PAGES_AT_ONCE {
            let (findings, next) = store::page(&mut tx, &self.page, &self.filter).await?;
            for finding in findings.iter().take(ROWS_MAX - self.rows) {
                line(&mut out, finding);
                self.rows += 1;
            }
            self.ended = next.is_none() || self.rows >= ROWS_MAX;
            self.page.cursor = next;
            if self.ended {
                break;
            }
        }
        Ok(out)
    }
}

fn line(out: &mut Vec<u8>, finding: &Finding) {
    let (first, last, age) = (finding.first_seen_at.to_string(), finding.last_seen_at.to_string(), finding.age_days.to_string());
    let (id, comments) = (finding.id.to_string(), finding.comments.to_string());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        id.as_str(),
        &finding.title,
        finding.severity.as_str(),
        finding.status.as_str(),
        finding.lifecycle.as_str(),
        finding.result.as_str(),
        &finding.control.uid,
        &finding.control.title,
        &finding.resource.uid,
        &text(&finding.resource.name),
        &text(&finding.resource.kind),
        &text(&finding.resource.region),
        &text(&finding.resource.account),
        &finding.tool,
        &first,
        &last,
        &age,
        finding.assignee.as_ref().map_or("", |by| by.name.as_str()),
        &comments,
    ];
    for (index, value) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        field(out, value);
    }
    out.extend_from_slice(b"\r\n");
}

/// One field. What a spreadsheet would take for a formula gets an apostrophe in front.
fn field(out: &mut Vec<u8>, value: &str) {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = value.contains([',', '"', '\r', '\n']);
    if quoted {
        out.push(b'"');
    }
    if is_formula {
        out.push(b'\'');
    }
    for byte in value.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_and_no_formula_runs() {
        let written = |value: &str| {
            let mut out = Vec::new();
            field(&mut out, value);
            String::from_utf8(out).expect("text stays text")
        };
        assert_eq!(written("plain text"), "plain text");
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("say \"hi\"\nthere"), "\"say \"\"hi\"\"\nthere\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(written(formula), format!("'{formula}"));
        }
        assert_eq!(written("=HYPERLINK(\"http://x\",1)"), "\"'=HYPERLINK(\"\"http://x\"\",1)\"");
    }
}
