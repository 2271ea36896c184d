//! 40,000 random questions on which the policies and the rule in plain Rust must agree.
#![allow(clippy::unwrap_used)]

mod common;

use access::Plane;
use common::rule::may;
use common::{ENGINE, asks};

#[test]
fn the_policies_agree_with_the_rule_in_plain_rust() {
    let (mut yes, mut inside) = (0, 0);
    for ask in asks(1, 40_000) {
        let verdict = ask.verdict();
        assert_eq!(verdict.allowed, may(&ask), "{ask:#?}\n{verdict:#?}");
        assert!(!(verdict.allowed && verdict.forbidden));
        yes += usize::from(verdict.allowed);
        inside += usize::from(verdict.allowed && ask.act.info().plane.is_inside());
    }
    // the questions are worth asking: neither answer is rare
    assert!(yes > 8_000 && yes < 30_000 && inside > 2_000, "{yes} yes, {inside} of them inside a tenant");
}

#[test]
fn the_short_way_answers_as_the_long_way() {
    for ask in asks(2, 20_000) {
        let Ok(long) = ENGINE.decide_whole(&ask.question()) else {
            // the schema itself refuses a question put in the wrong place, or by nobody
            assert!(!ask.allowed(), "{ask:#?}");
            continue;
        };
        let short = ask.verdict();
        assert_eq!((short.allowed, short.forbidden, &short.policy), (long.allowed, long.forbidden, &long.policy), "{ask:#?}");
        assert_ne!(&*short.policy, "error", "{ask:#?}");
    }
}

#[test]
fn a_question_in_its_place_keeps_to_the_schema() {
    for ask in asks(3, 20_000) {
        let in_place = std::mem::discriminant(&ask.place) == std::mem::discriminant(&common::place_of(ask.act));
        if in_place && (ask.person.is_some() || ask.act.info().plane == Plane::Public) {
            ENGINE.decide_whole(&ask.question()).unwrap();
        }
    }
}

#[test]
fn a_verdict_holds_until_it_says() {
    for ask in asks(4, 10_000) {
        let verdict = ask.verdict();
        let last = verdict.until.map_or(ask.now + 1_000, |until| until - 1);
        assert!(last >= ask.now, "{ask:#?}");
        let later = ask.clone().at(last).verdict();
        assert_eq!((verdict.allowed, verdict.forbidden), (later.allowed, later.forbidden), "{ask:#?}");
    }
}
