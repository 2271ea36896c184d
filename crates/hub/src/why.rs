//! `tenantry why`: the access explainer at the machine. Reads the store itself, so it works beside a running hub.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use kernel::{Hub, Result};
use msp::why::{WhatCan, WhoCan, Why, cli};

use crate::config::Settings;

/// Ask who may do what, and why
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    question: Question,
    /// Print JSON instead of sentences
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// May this person do that in this tenant?
    May {
        /// Tenant, by id or slug
        #[arg(long)]
        tenant: String,
        /// Person, by id or e-mail
        #[arg(long)]
        person: String,
        /// Action, such as finding.assign
        #[arg(long)]
        action: String,
    },
    /// Who may do that in this tenant?
    Who {
        /// Tenant, by id or slug
        #[arg(long)]
        tenant: String,
        /// Action, such as finding.assign
        #[arg(long)]
        action: String,
    },
    /// What may this person do in this tenant?
    What {
        /// Tenant, by id or slug
        #[arg(long)]
        tenant: String,
        /// Person, by id or e-mail
        #[arg(long)]
        person: String,
    },
}

/// Answers a question; the text ends with a line break.
///
/// # Errors
/// The store cannot be opened, there is no such tenant, or no such action.
pub async fn answer(arguments: Arguments) -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let config = arguments.settings.resolve()?;
    let hub = config.open().await?;
    Ok(ask(&hub, &arguments.question, arguments.json).await?)
}

async fn ask(hub: &Hub, question: &Question, json: bool) -> Result<String> {
    let json = |value: &dyn erased::Json| json.then(|| value.to_text());
    Ok(match question {
        Question::May { tenant, person, action } => {
            let why = cli::why(hub, tenant, person, action).await?;
            json(&why).unwrap_or_else(|| may_in_words(&why))
        }
        Question::Who { tenant, action } => {
            let who = cli::who(hub, tenant, action).await?;
            json(&who).unwrap_or_else(|| who_in_words(&who))
        }
        Question::What { tenant, person } => {
            let what = cli::what(hub, tenant, person).await?;
            json(&what).unwrap_or_else(|| what_in_words(&what))
        }
    })
}

/// Any answer as JSON.
mod erased {
    pub(super) trait Json {
        fn to_text(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn to_text(&self) -> String {
            let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

fn may_in_words(why: &Why) -> String {
    let who =
        why.person.as_ref().map_or_else(|| "nobody known here".to_owned(), |person| format!("{} <{}>", person.name, person.email));
    let mut text = format!("{} {} {}\n", who, if why.allowed { "MAY" } else { "may NOT" }, why.action.name);
    let _ = writeln!(text, "  {} [{}]", why.why, why.policy);
    if !why.allowed {
        let _ = writeln!(text, "  needed: {}", why.needs);
    }
    if why.step_up {
        text.push_str("  with a fresh second factor\n");
    }
    for through in &why.through {
        let verdict = if through.allowed { "allows" } else { "does not" };
        let tier = through.tier.as_deref().unwrap_or("-");
        let _ =
            writeln!(text, "  through {} {} ({tier}): {verdict}: {} [{}]", through.source, through.id, through.why, through.policy);
    }
    text
}

fn who_in_words(who: &[WhoCan]) -> String {
    if who.is_empty() {
        return "Nobody.\n".into();
    }
    let mut text = String::new();
    for one in who {
        let tier = one.through.tier.as_deref().or(one.through.role.as_deref()).unwrap_or("-");
        let _ = writeln!(
            text,
            "{} <{}>  through {} {} ({tier})",
            one.person.name, one.person.email, one.through.source, one.through.id
        );
    }
    text
}

fn what_in_words(what: &WhatCan) -> String {
    let Some(person) = &what.person else { return "Nobody of this name holds anything here.\n".into() };
    let mut text = format!("{} <{}>\n", person.name, person.email);
    for item in &what.items {
        let _ = writeln!(text, "  {}  {:<32} {}", if item.allowed { "yes" } else { " no" }, item.action.name.name(), item.why);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::{Engine, TestHub};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_machine_answers_in_sentences_and_in_json() {
        let hub = TestHub::start(Engine::Sqlite, msp::router()).await;
        let person = testkit::person("t1").to_string();
        let may = Question::May { tenant: "acme".into(), person: person.clone(), action: "override.create".into() };
        let text = ask(&hub.hub, &may, false).await.unwrap();
        assert!(text.contains("may NOT override.create") && text.contains("Your assignment is below T2 Operate."), "{text}");
        let json: serde_json::Value = serde_json::from_str(&ask(&hub.hub, &may, true).await.unwrap()).unwrap();
        assert_eq!(json["through"][0]["source"], "assignment");
        let who = Question::Who { tenant: "acme".into(), action: "override.create".into() };
        assert_eq!(ask(&hub.hub, &who, false).await.unwrap().lines().count(), 5);
        let what = Question::What { tenant: "acme".into(), person };
        assert!(ask(&hub.hub, &what, false).await.unwrap().contains("yes  finding.list"));
        let nowhere = Question::Who { tenant: "nowhere".into(), action: "override.create".into() };
        assert_eq!(ask(&hub.hub, &nowhere, false).await.unwrap_err().code(), "not_found");
    }
}
