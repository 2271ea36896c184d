//! What is to be proved, and how the policies are deliberately broken: the files in `properties/` and `broken/`.
//!
//! A property is a Cedar file. Its comment at the top says in words what is proved. It comes in two kinds:
//! * **a bound**: policies that permit what may be allowed at most. Proved: what the hub allows, they allow.
//! * **a comparison**: no policies, but lines `// then: A => B`. Proved: what the hub allows, it also allows with every A in its own
//!   policies read as B. A line `// if: A => B` reads the hub that way on the other side too.
//!
//! A broken policy is an edit: what is wrong in words, the properties that it breaks (all of them, and no others), and text that
//! stands in the hub's policies exactly once, with what is put in its place.
use std::fs;
use std::path::Path;

/// Text that is read as other text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// What stands there.
    pub find: String,
    /// What is read instead.
    pub replace: String,
}

/// Something that holds for all inputs.
#[derive(Clone, Debug)]
pub struct Property {
    /// The file's name without its ending.
    pub name: String,
    /// In words.
    pub says: String,
    /// The text of the bound; for a comparison none.
    pub bound: Option<String>,
    /// How the hub's policies are read on the left.
    pub when: Vec<Swap>,
    /// And on the right, in a comparison.
    pub then: Vec<Swap>,
}

/// A mistake somebody could make in the policies.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The file's name without its ending.
    pub name: String,
    /// What is wrong, in words.
    pub says: String,
    /// The properties it breaks.
    pub breaks: Vec<String>,
    edits: Vec<Swap>,
}

impl Property {
    fn read(name: String, text: &str) -> Result<Self, String> {
        let comments = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
        let (mut says, mut when, mut then) = (Vec::new(), Vec::new(), Vec::new());
        for line in comments {
            if let Some(swap) = line.strip_prefix("if: ") {
                when.push(Swap::read(swap)?);
            } else if let Some(swap) = line.strip_prefix("then: ") {
                then.push(Swap::read(swap)?);
            } else {
                says.push(line);
            }
        }
        let rules = text.lines().any(|line| !line.trim().is_empty() && !line.starts_with("//"));
        if rules != then.is_empty() {
            return Err("policies of a bound, or `// then:` lines of a comparison: one of them".into());
        }
        if says.is_empty() {
            return Err("a comment at the top says what is proved".into());
        }
        Ok(Self { name, says: says.join(" "), bound: rules.then(|| text.to_owned()), when, then })
    }

    /// Both sides, for these policies of the hub: what the left allows, the right must allow.
    ///
    /// # Errors
    /// The policies lack what is to be read otherwise.
    pub fn sides(&self, hub: &str) -> Result<(String, String), String> {
        let left = read_as(hub, &self.when)?;
        let right = match &self.bound {
            Some(bound) => bound.clone(),
            None => read_as(hub, &self.then)?,
        };
        Ok((left, right))
    }
}

fn read_as(hub: &str, swaps: &[Swap]) -> Result<String, String> {
    swaps.iter().try_fold(hub.to_owned(), |text, Swap { find, replace }| {
        if text.contains(find) { Ok(text.replace(find, replace)) } else { Err(format!("{find:?} is not in the policies")) }
    })
}

impl Swap {
    fn read(line: &str) -> Result<Self, String> {
        let (find, replace) = line.split_once(" => ").ok_or_else(|| format!("A => B is wanted: {line}"))?;
        Ok(Self { find: find.trim().into(), replace: replace.trim().into() })
    }
}

impl Broken {
    fn read(name: String, text: &str) -> Result<Self, String> {
        let (head, mut rest) = text.split_once("--- find\n").ok_or("`--- find` is missing")?;
        let says: Vec<&str> = head.lines().filter_map(|line| line.strip_prefix('#')).map(str::trim).collect();
        let breaks = head.lines().find_map(|line| line.strip_prefix("breaks:")).ok_or("`breaks:` is missing")?;
        let mut edits = Vec::new();
        loop {
            let (find, tail) = rest.split_once("--- replace\n").ok_or("`--- replace` is missing")?;
            let (replace, next) = tail.split_once("--- find\n").map_or((tail, None), |(replace, next)| (replace, Some(next)));
            edits.push(Swap { find: find.trim_end_matches('\n').into(), replace: replace.trim_end_matches('\n').into() });
            match next {
                Some(next) => rest = next,
                None => break,
            }
        }
        Ok(Self { name, says: says.join(" "), breaks: breaks.split_whitespace().map(str::to_owned).collect(), edits })
    }

    /// The hub's policies with the mistake in them.
    ///
    /// # Errors
    /// What is to be replaced does not stand there exactly once: the edit must follow the policies.
    pub fn apply(&self, hub: &str) -> Result<String, String> {
        self.edits.iter().try_fold(hub.to_owned(), |text, Swap { find, replace }| match text.matches(find.as_str()).count() {
            1 => Ok(text.replace(find.as_str(), replace)),
            n => Err(format!("{}: stands {n} times in the policies, not once: {find:?}", self.name)),
        })
    }
}

/// All properties, by name.
///
/// # Errors
/// A file cannot be read or makes no sense.
pub fn properties(folder: &Path) -> Result<Vec<Property>, String> {
    read_all(folder, "cedar", Property::read)
}

/// All broken policies, by name.
///
/// # Errors
/// A file cannot be read or makes no sense.
pub fn broken(folder: &Path) -> Result<Vec<Broken>, String> {
    read_all(folder, "edit", Broken::read)
}

fn read_all<T>(folder: &Path, ending: &str, read: fn(String, &str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let listed = fs::read_dir(folder).map_err(|e| format!("listing {}: {e}", folder.display()))?;
    let mut paths: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == ending));
    paths.sort();
    let one = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).map_err(|e| e.to_string());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        text.and_then(|text| read(name, &text)).map_err(|e| format!("{}: {e}", path.display()))
    };
    paths.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bound_has_words_and_policies() {
        let p = Property::read("x".into(), "// In words.\n// More.\npermit (principal, action, resource);\n").unwrap();
        assert_eq!((p.says.as_str(), p.bound.is_some()), ("In words. More.", true));
        assert!(Property::read("x".into(), "permit (principal, action, resource);\n").is_err(), "no words");
        assert!(Property::read("x".into(), "// Only words.\n").is_err());
    }

    #[test]
    fn a_comparison_reads_the_hub_otherwise_and_must_find_what_it_replaces() {
        let p = Property::read("x".into(), "// Words.\n// if: a => b\n// then: a => c\n").unwrap();
        assert_eq!(p.sides("a d a").unwrap(), ("b d b".into(), "c d c".into()));
        assert!(p.sides("d").is_err());
    }

    #[test]
    fn an_edit_matches_exactly_once() {
        let b =
            Broken::read("x".into(), "# Wrong.\nbreaks: p q\n--- find\nold\n--- replace\nnew\n--- find\nx\n--- replace\n").unwrap();
        assert_eq!(b.breaks, ["p", "q"]);
        assert_eq!(b.apply("an old x").unwrap(), "an new ");
        assert!(b.apply("old old x").is_err() && b.apply("x").is_err());
    }
}
