//! What an address asks for after its `?`: filters may be repeated or separated by commas.

use std::str::FromStr;

use kernel::{Error, PageQuery, Result};

/// Most values of one filter.
const VALUES_MAX: usize = 100;

/// The pairs of a query string.
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Every value of a name as it stands, also with commas in it.
    pub fn whole(&self, name: &str) -> Result<Vec<String>> {
        let values: Vec<String> =
            self.0.iter().filter(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone()).collect();
        if values.len() > VALUES_MAX {
            return Err(Error::field(name, "too_many", format!("name at most {VALUES_MAX}")));
        }
        Ok(values)
    }

    /// Every value of a name, apart at commas.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.whole(name)? {
            texts.extend(value.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
        }
        if texts.len() > VALUES_MAX {
            return Err(Error::field(name, "too_many", format!("name at most {VALUES_MAX}")));
        }
        Ok(texts)
    }

    /// Every value of a name as words of a closed list.
    pub fn words<T: FromStr>(&self, name: &str) -> Result<Vec<T>> {
        let parse = |text: String| text.parse().map_err(|_| Error::field(name, "unknown", format!("{text:?} is not known here")));
        self.texts(name)?.into_iter().map(parse).collect()
    }

    /// The one value of a name.
    pub fn one<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        Ok(self.words(name)?.into_iter().next())
    }

    /// Search, order and place in the list.
    pub fn page(&self) -> Result<PageQuery> {
        let text = |name: &str| self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone());
        let limit = match text("limit") {
            Some(limit) => Some(limit.parse().map_err(|_| Error::field("limit", "wrong_type", "is not a number"))?),
            None => None,
        };
        let page = PageQuery { q: text("q"), sort: text("sort"), cursor: text("cursor"), limit };
        page.limit()?;
        Ok(page)
    }
}
