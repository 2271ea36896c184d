//! Which findings a list shows, as SQL on `finding f`.

use kernel::store::{Query, Value};
use kernel::{PageQuery, PersonId, Result, Timestamp};

use crate::asked::Asked;
use crate::overrides::covers_finding;
use crate::words::{Lifecycle, Severity, Status};
use crate::{ControlId, ScanId};

/// Who looks after the findings that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Mine,
    Nobodys,
    Of(PersonId),
}

impl std::str::FromStr for Whose {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "me" => Ok(Self::Mine),
            "none" => Ok(Self::Nobodys),
            id => id.parse().map(Self::Of).map_err(|_| ()),
        }
    }
}

/// Which findings are wanted. An empty list wants all.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub pattern: Option<String>,
    pub status: Vec<Status>,
    pub severity: Vec<Severity>,
    pub lifecycle: Vec<Lifecycle>,
    pub whose: Vec<Whose>,
    pub frameworks: Vec<String>,
    pub resources: Vec<String>,
    pub controls: Vec<String>,
    pub scan: Option<ScanId>,
}

/// A side of the list that has a facet; its own filter does not narrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Framework,
    Resource,
}

impl Filter {
    pub fn of(asked: &Asked, page: &PageQuery) -> Result<Self> {
        let mut status = asked.words("status")?;
        if status.is_empty() {
            status.push(Status::Open);
        }
        Ok(Self {
            pattern: page.pattern()?,
            status,
            severity: asked.words("severity")?,
            lifecycle: asked.words("lifecycle")?,
            whose: asked.words("assignee")?,
            frameworks: asked.texts("framework")?,
            resources: asked.whole("resource")?,
            controls: asked.texts("control")?,
            scan: asked.one("scan")?,
        })
    }

    /// The beginning of a query whose `?1` is now.
    pub fn query(&self, select: &str, now: Timestamp) -> Query {
        Query { sql: format!("SELECT {select}"), params: vec![Value::from(now)] }
    }

    /// Appends `WHERE` with the wide conditions: search, framework, resource, control, scan.
    pub fn push_wide(&self, query: &mut Query, except: Option<Facet>) {
        // PostgreSQL wants every parameter to be used, and not every query asks for the status.
        query.push(" WHERE NOT f.gone AND CAST(?1 AS bigint) IS NOT NULL");
        if let Some(pattern) = self.pattern.as_deref() {
            query
                .push(" AND (lower(f.title) LIKE ")
                .bind(pattern)
                .push(" ESCAPE '\\' OR lower(f.resource_uid) LIKE ")
                .bind(pattern);
            query.push(" ESCAPE '\\' OR lower(COALESCE(f.resource_name, '')) LIKE ").bind(pattern);
            query.push(" ESCAPE '\\' OR f.control_id IN (SELECT k.id FROM control k WHERE lower(k.uid) LIKE ").bind(pattern);
            query.push(" ESCAPE '\\' OR lower(k.title) LIKE ").bind(pattern).push(" ESCAPE '\\'))");
        }
        if !self.frameworks.is_empty() && except != Some(Facet::Framework) {
            query.push(" AND f.control_id IN (SELECT cf.control_id FROM control_framework cf WHERE cf.framework IN (");
            query.bind_all(self.frameworks.iter()).push("))");
        }
        if !self.resources.is_empty() && except != Some(Facet::Resource) {
            query.push(" AND f.resource_uid IN (").bind_all(self.resources.iter()).push(")");
        }
        if !self.controls.is_empty() {
            // A control is named by its id, or as the scanner names it.
            let ids: Vec<ControlId> = self.controls.iter().filter_map(|text| text.parse().ok()).collect();
            query.push(" AND (f.control_id IN (").bind_all(ids);
            query.push(") OR f.control_id IN (SELECT k.id FROM control k WHERE k.uid IN (").bind_all(self.controls.iter());
            query.push(")))");
        }
        if let Some(scan) = self.scan {
            query.push(" AND (f.last_scan_id = ").bind(scan);
            query.push(" OR f.id IN (SELECT h.finding_id FROM finding_history h WHERE h.scan_id = ").bind(scan).push("))");
        }
    }

    /// Appends the narrow conditions: status, severity, lifecycle, assignee.
    pub fn push_narrow(&self, query: &mut Query, me: PersonId) {
        either(query, &self.status, |query, status| {
            query.push(&status_is(*status));
        });
        if !self.severity.is_empty() {
            query.push(" AND f.severity IN (").bind_all(self.severity.iter().map(|word| word.as_str())).push(")");
        }
        if !self.lifecycle.is_empty() {
            query.push(" AND f.lifecycle IN (").bind_all(self.lifecycle.iter().map(|word| word.as_str())).push(")");
        }
        either(query, &self.whose, |query, whose| {
            match whose {
                Whose::Nobodys => query.push("f.assignee_id IS NULL"),
                Whose::Mine => query.push("f.assignee_id = ").bind(me),
                Whose::Of(person) => query.push("f.assignee_id = ").bind(*person),
            };
        });
    }
}

/// Appends `AND (one OR another)`, or nothing when there is none.
fn either<T>(query: &mut Query, all: &[T], push: impl Fn(&mut Query, &T)) {
    for (index, one) in all.iter().enumerate() {
        query.push(if index == 0 { " AND (" } else { " OR " });
        push(query, one);
    }
    if !all.is_empty() {
        query.push(")");
    }
}

/// SQL that says whether a finding has this status; `?1` is now.
pub(crate) fn status_is(status: Status) -> String {
    match status {
        Status::Open => format!("(f.result = 'fail' AND NOT {})", covers_finding("?1")),
        Status::Overridden => format!("(f.result = 'fail' AND {})", covers_finding("?1")),
        Status::Passed => "(f.result = 'pass' AND f.lifecycle <> 'fixed')".into(),
        Status::Fixed => "(f.result = 'pass' AND f.lifecycle = 'fixed')".into(),
        Status::Manual => "f.result NOT IN ('pass', 'fail')".into(),
    }
}

/// SQL of a finding's status; `?1` is now.
pub(crate) fn status() -> String {
    format!(
        "CASE WHEN f.result = 'fail' THEN CASE WHEN {} THEN 'overridden' ELSE 'open' END
              WHEN f.result = 'pass' THEN CASE WHEN f.lifecycle = 'fixed' THEN 'fixed' ELSE 'passed' END ELSE 'manual' END",
        covers_finding("?1")
    )
}
