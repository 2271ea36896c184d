//! What was proved, on the terminal and in `docs/proofs.md`.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Outcomes;
use crate::proof::Outcome;
use crate::question::{Broken, Property};

const BEGIN: &str = "<!-- proved by `make prove`: begin -->\n";
const END: &str = "<!-- proved by `make prove`: end -->\n";

/// Everything there is to tell.
pub struct Table<'a> {
    /// What was to be proved.
    pub properties: &'a [Property],
    /// With which mistakes.
    pub broken: &'a [Broken],
    /// How many kinds of question there are.
    pub environments: usize,
    /// What came of it.
    pub outcomes: &'a Outcomes,
}

impl Table<'_> {
    fn outcome(&self, broken: &str, property: &str) -> Option<&Outcome> {
        self.outcomes.get(&(broken.to_owned(), property.to_owned()))
    }

    /// Prints the table; answers whether everything is as it should be.
    pub fn print(&self) -> bool {
        let mut good = true;
        println!("\n{:32} {:>12} {:>6} {:>8} {:>9}", "property", "environments", "plain", "formulas", "solver s");
        for p in self.properties {
            let Some(o) = self.outcome("", &p.name) else { continue };
            let (proved, of) =
                (format!("{}/{}", o.proved, self.environments), if o.proved == self.environments { "" } else { "NO" });
            println!("{:32} {proved:>12} {:>6} {:>8} {:>9.1} {of}", p.name, o.plain, o.formulas, o.seconds);
            good &= o.proved == self.environments;
            for trouble in o.refuted.iter().chain(&o.unknown) {
                println!("{}", indent(trouble));
            }
        }
        println!();
        self.broken.iter().fold(good, |good, b| self.print_broken(b) && good)
    }

    fn print_broken(&self, b: &Broken) -> bool {
        let asked: Vec<_> = self.properties.iter().filter_map(|p| Some((p, self.outcome(&b.name, &p.name)?))).collect();
        if asked.is_empty() {
            return true;
        }
        let caught: BTreeSet<&str> = asked.iter().filter(|(_, o)| o.refuted.is_some()).map(|(p, _)| p.name.as_str()).collect();
        let named = |name: &&str| asked.iter().any(|(p, _)| p.name == **name);
        let expected: BTreeSet<&str> = b.breaks.iter().map(String::as_str).filter(named).collect();
        let unknown: Vec<_> = asked.iter().filter_map(|(p, o)| Some((p, o.unknown.as_ref()?))).collect();
        let good = caught == expected && unknown.is_empty();
        println!("{} {}: {}", if good { "caught" } else { "NOT AS SAID" }, b.name, b.says);
        for (p, o) in &asked {
            if let Some(refuted) = &o.refuted {
                let odd = if expected.contains(p.name.as_str()) { "" } else { " (not among those it says)" };
                println!("  breaks {}{odd}:\n{}", p.name, indent(refuted));
            } else if expected.contains(p.name.as_str()) {
                println!("  DOES NOT BREAK {}", p.name);
            }
        }
        unknown.iter().for_each(|(p, why)| println!("  UNKNOWN {}: {why}", p.name));
        good
    }

    fn markdown(&self) -> String {
        let mut s = format!(
            "{} properties, each proved for all inputs in all {} environments (who, which action, on what).\n\n\
             | Property | Environments | seen without the solver | formulas put to it | Broken policies that are caught |\n\
             |---|---|---|---|---|\n",
            self.properties.len(),
            self.environments
        );
        let mut put = |text: String| s.push_str(&text);
        for p in self.properties {
            let Some(o) = self.outcome("", &p.name) else { continue };
            let caught: Vec<&str> = self.broken.iter().filter(|b| b.breaks.contains(&p.name)).map(|b| b.name.as_str()).collect();
            put(format!(
                "| `{}` | {} of {} | {} | {} | {} |\n",
                p.name,
                o.proved,
                self.environments,
                o.plain,
                o.formulas,
                list(&caught)
            ));
        }
        for p in self.properties {
            put(format!("\n### {}\n\n{}\n", p.name, p.says));
        }
        put("\n## Broken policies, and what the prover says of them\n".into());
        for b in self.broken {
            put(format!("\n### {}\n\n{}\n", b.name, b.says));
            for name in &b.breaks {
                let Some(refuted) = self.outcome(&b.name, name).and_then(|o| o.refuted.as_ref()) else { continue };
                put(format!("\nBreaks `{name}`:\n\n```\n{refuted}\n```\n"));
            }
        }
        s
    }

    /// Holds the page against what was proved (which counterexample the solver finds first may differ from machine to machine, so
    /// those are not compared); with `UPDATE=1` in the environment, writes it. Answers whether it is right now.
    ///
    /// # Errors
    /// The page cannot be read or written, or its marks are missing.
    pub fn write(&self, page: &Path) -> Result<bool, String> {
        let told = |e: std::io::Error| format!("{}: {e}", page.display());
        let text = fs::read_to_string(page).map_err(told)?;
        let marks = || format!("{}: the marks are missing", page.display());
        let (before, rest) = text.split_once(BEGIN).ok_or_else(marks)?;
        let (_, after) = rest.split_once(END).ok_or_else(marks)?;
        let mut new = String::new();
        write!(new, "{before}{BEGIN}\n{}\n{END}{after}", self.markdown()).map_err(|e| e.to_string())?;
        if std::env::var_os("UPDATE").is_some() {
            return fs::write(page, new).map_err(told).map(|()| true);
        }
        if without_blocks(&new) == without_blocks(&text) {
            return Ok(true);
        }
        println!("docs/proofs.md does not say what was proved: UPDATE=1 make prove");
        Ok(false)
    }
}

/// What stands outside of ``` blocks.
fn without_blocks(text: &str) -> Vec<&str> {
    text.split("\n```").step_by(2).collect()
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
