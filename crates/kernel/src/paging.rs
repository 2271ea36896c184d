//! Pages: every list is read in pieces, from an opaque cursor that names the last row seen.
//!
//! A cursor holds the sort key and id of that row (keyset paging), so that a page costs the same wherever it lies and rows that
//! are added or removed meanwhile neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::store::{Query, Value};

/// Rows on a page when the client does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// Most rows on a page.
pub const LIMIT_MAX: u32 = 200;

/// The part of a list's query that all lists share.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PageQuery {
    /// Free text to search for.
    pub q: Option<String>,
    /// Name of the order; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    pub next: Option<String>,
    /// Rows in all, on every page, after filters.
    pub total: i64,
}

/// How a list is ordered: an SQL expression that is never null, and which way. Ties are broken by id.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// SQL expression over the list's columns; text or bigint.
    pub key: &'static str,
    /// Largest first.
    pub descending: bool,
}

impl Order {
    /// A few bits of what the order is, so that a cursor of another order or another list is told apart.
    fn tag(self) -> u32 {
        let hash = blake3::hash(format!("{} {}", self.key, self.descending).as_bytes());
        u32::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1], hash.as_bytes()[2], 0])
    }

    /// The cursor of what comes after the row with this sort key and id.
    pub fn after(self, key: &Value, id: Uuid) -> String {
        let key = match key {
            Value::Int(n) => Key::Number(*n),
            Value::Text(t) => Key::Text(t.clone()),
            other => Key::Text(format!("{other:?}")),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(self.tag(), key, id)).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
enum Key {
    #[serde(rename = "n")]
    Number(i64),
    #[serde(rename = "t")]
    Text(String),
}

impl PageQuery {
    /// The page's size.
    ///
    /// # Errors
    /// `Invalid` outside 1..=200.
    pub fn limit(&self) -> Result<u32> {
        match self.limit.unwrap_or(LIMIT_DEFAULT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            other => Err(Error::field("limit", "out_of_range", format!("{other} is not between 1 and {LIMIT_MAX}"))),
        }
    }

    /// The search text, trimmed and in lower case, as a LIKE pattern with its own wildcards escaped (use with `ESCAPE '\'`).
    ///
    /// # Errors
    /// `Invalid` when longer than 200 characters.
    pub fn pattern(&self) -> Result<Option<String>> {
        let Some(text) = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        if text.chars().count() > 200 {
            return Err(Error::field("q", "too_long", "search for at most 200 characters"));
        }
        let mut pattern = String::from("%");
        // No stored text has control characters, and PostgreSQL takes no NUL.
        for c in text.to_lowercase().chars().map(|c| if c.is_control() { ' ' } else { c }) {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        Ok(Some(pattern))
    }

    /// The order that `sort` names, out of `(name, SQL expression)`; the first is the default. A leading `-` in a listed name
    /// makes that entry's default direction descending.
    ///
    /// # Errors
    /// `Invalid` for a name that is not listed.
    pub fn order(&self, orders: &'static [(&'static str, &'static str)]) -> Result<Order> {
        let wanted = self.sort.as_deref().unwrap_or(orders[0].0);
        let (name, descending) = wanted.strip_prefix('-').map_or((wanted, false), |name| (name, true));
        orders
            .iter()
            .find(|(listed, _)| listed.trim_start_matches('-') == name)
            .map(|(_, key)| Order { key, descending })
            .ok_or_else(|| {
                let names: Vec<_> = orders.iter().map(|(name, _)| name.trim_start_matches('-')).collect();
                Error::field("sort", "unknown", format!("sort by one of {}", names.join(", ")))
            })
    }

    /// Appends `AND (key, id) after the cursor ORDER BY … LIMIT n+1` to a query that ends in its WHERE clause.
    /// `id` is the SQL of the id column. Select `key` and `id` last, and hand the rows to [`Page::cut`].
    ///
    /// # Errors
    /// `Invalid` for a cursor that is not one of ours.
    pub fn apply(&self, query: &mut Query, order: Order, id: &str) -> Result<()> {
        let (sign, direction) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
        if let Some(cursor) = &self.cursor {
            let (tag, key, last) = decode(cursor)?;
            if tag != order.tag() {
                return Err(foreign_cursor());
            }
            let key = match key {
                Key::Number(n) => Value::Int(n),
                Key::Text(t) => Value::Text(t),
            };
            query.push(&format!(" AND ({}, {id}) {sign} (", order.key)).bind(key).push(", ").bind(last).push(")");
        }
        let limit = i64::from(self.limit()?) + 1;
        query.push(&format!(" ORDER BY {} {direction}, {id} {direction} LIMIT ", order.key)).bind(limit);
        Ok(())
    }
}

fn foreign_cursor() -> Error {
    Error::field("cursor", "unknown", "use the `next` of the page before, with the same sort, or leave it out")
}

fn decode(cursor: &str) -> Result<(u32, Key, Uuid)> {
    let read = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice::<(u32, Key, Uuid)>(&bytes).ok());
    read.filter(|(_, key, _)| !matches!(key, Key::Text(text) if text.contains('\0'))).ok_or_else(foreign_cursor)
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` rows out of up to `limit + 1` that were read, each with its sort key and id.
    pub fn cut(mut rows: Vec<(T, Value, Uuid)>, limit: u32, order: Order, total: i64) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(_, key, id)| order.after(key, *id));
        Self { items: rows.into_iter().map(|(row, _, _)| row).collect(), next, total }
    }

    /// A list that is short by nature, in one page.
    pub fn whole(items: Vec<T>) -> Self {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        Self { items, next: None, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_in_its_own_order_only() {
        let (by_name, by_age) = (Order { key: "name", descending: false }, Order { key: "age", descending: false });
        let rows = (0..3).map(|n| (n, Value::Text(format!("row {n}")), Uuid::from_u128(n))).collect();
        let page = Page::cut(rows, 2, by_name, 3);
        assert_eq!(page.items, [0, 1]);
        let next = PageQuery { cursor: page.next, ..PageQuery::default() };
        let mut query = Query::new("SELECT 1");
        next.apply(&mut query, by_name, "id").expect("its own order");
        assert_eq!(query.params[..2], [Value::Text("row 1".into()), Value::Uuid(Uuid::from_u128(1))]);
        for other in [by_age, Order { descending: true, ..by_name }] {
            assert_eq!(next.apply(&mut query, other, "id").expect_err("another order").code(), "invalid");
        }
    }
}
