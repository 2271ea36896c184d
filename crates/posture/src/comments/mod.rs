//! Comments: what people say about a finding, with their name and how they act here at the time.
//!
//! Rules: 1 to 5,000 characters, plain text; a comment is never changed or taken away, as the ledger isn't either.
//!
//! What it deliberately does not do: threads, mentions, formatting.

mod http;
mod store;
#[cfg(test)]
mod tests;

use kernel::door::scope::Data;
use kernel::validate::Check;
use kernel::{PersonId, ReadTx, Result, Timestamp, WriteTx};
use serde::{Deserialize, Serialize};

pub use http::router;

use crate::by::{self, By};
use crate::{CommentId, FindingId, findings};

/// What somebody said.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Who said it.
    pub author: Author,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Who said it, and as what.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Author {
    /// Who.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// How they acted: `auditor`, `Northwind IT staff · T2`.
    #[serde(rename = "as")]
    pub acted_as: String,
}

/// What is to be said.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CommentCreate {
    /// 1 to 5,000 characters.
    pub text: String,
}

fn author(by: By, staff_names: bool) -> Author {
    let acted_as = by.acted_as.clone();
    let named = by.shown(staff_names);
    Author { id: named.id, name: named.name, acted_as }
}

/// Says something about a finding.
pub(crate) async fn create(tx: &mut WriteTx<Data>, finding: FindingId, asked: CommentCreate) -> Result<Comment> {
    let mut check = Check::new();
    let text = check.text("text", &asked.text, 1..=5_000);
    check.done()?;
    let about = findings::lock(tx, finding).await?;
    let (by, id, at) = (by::me(tx)?, CommentId::new(tx.now()), tx.now());
    let n = findings::count_comment(tx, finding).await?;
    store::insert(tx, id, (finding, n), &by, &text).await?;
    let comment = Comment { id, author: author(by, true), text, at };
    tx.subject("finding", finding, about.title).changed("comment", id, &(), &comment);
    Ok(comment)
}

/// What was said about a finding, oldest first.
pub(crate) async fn of_finding(tx: &mut ReadTx<Data>, finding: FindingId) -> Result<Vec<Comment>> {
    let names = by::sees_staff_names(tx);
    let stored = store::of_finding(tx, finding).await?;
    Ok(stored.into_iter().map(|(id, by, text, at)| Comment { id, author: author(by, names), text, at }).collect())
}
