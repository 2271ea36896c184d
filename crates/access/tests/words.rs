//! Words go out as they came in, and nothing else comes in.
#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use access::{AccessMode, Act, Mask, Module, Modules, ProviderState, RelationshipState, StaffRole, TenantRole, TenantState, Tier};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn round_trip<T>(all: &[T])
where
    T: Copy + PartialEq + Debug + Display + FromStr<Err: Debug> + Serialize + DeserializeOwned,
{
    for word in all {
        assert_eq!(word.to_string().parse::<T>().unwrap(), *word);
        let json = serde_json::to_value(word).unwrap();
        assert_eq!(json, word.to_string());
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), *word);
    }
    assert!("Nonsense".parse::<T>().is_err() && "".parse::<T>().is_err());
}

#[test]
fn every_word_has_one_spelling() {
    round_trip(Tier::ALL);
    round_trip(TenantRole::ALL);
    round_trip(StaffRole::ALL);
    round_trip(Module::ALL);
    round_trip(TenantState::ALL);
    round_trip(ProviderState::ALL);
    round_trip(RelationshipState::ALL);
    round_trip(AccessMode::ALL);
    round_trip(Act::ALL);
}

#[test]
fn tiers_are_numbers_in_the_database() {
    for tier in Tier::ALL {
        assert_eq!(Tier::from_i64(tier.as_i64()), Some(*tier));
    }
    assert_eq!((Tier::from_i64(-1), Tier::from_i64(4)), (None, None));
    assert_eq!((Tier::T2.name(), Tier::T2.to_string()), ("Operate", "T2".into()));
    assert!(Tier::T0 < Tier::T1 && Tier::T2 < Tier::T3);
}

#[test]
fn modules_are_a_list_of_names() {
    let some: Modules = "compliance, finops".parse().unwrap();
    assert_eq!(serde_json::to_value(some).unwrap(), serde_json::json!(["finops", "compliance"]));
    assert_eq!(serde_json::from_value::<Modules>(serde_json::json!(["compliance", "finops"])).unwrap(), some);
    assert_eq!(some.to_string().parse::<Modules>().unwrap(), some);
    assert_eq!(Modules::from_bits(some.bits()), some);
    assert_eq!(Modules::try_from(vec!["finops".to_owned()]).unwrap().iter().collect::<Vec<_>>(), [Module::Finops]);
    assert_eq!("".parse::<Modules>().unwrap(), Modules::NONE);
    assert!("compliance,,".parse::<Modules>().is_err() && "all".parse::<Modules>().is_err());
    assert!(serde_json::from_value::<Modules>(serde_json::json!(["all"])).is_err());
    assert_eq!(Modules::ALL.iter().count(), Module::ALL.len());
    assert_eq!(Modules::from_bits(u16::MAX), Modules::ALL);
}

#[test]
fn masks_keep_their_bits() {
    for bits in 0..16 {
        let mask = Mask::from_bits(bits);
        assert_eq!(mask.bits(), bits);
        assert_eq!(serde_json::from_value::<Mask>(serde_json::to_value(mask).unwrap()).unwrap(), mask);
    }
    assert_eq!((Mask::ALL.bits(), Mask::VIEW.bits(), Mask::NONE.bits()), (15, 1, 0));
    assert!(serde_json::from_value::<Mask>(serde_json::json!({"view": true})).is_err(), "absence is not an answer");
}

#[test]
fn actions_are_found_by_their_name() {
    assert_eq!(Act::from_name("finding.assign"), Some(Act::FindingAssign));
    assert_eq!(Act::from_name("finding.Assign"), None);
    for act in Act::ALL {
        assert_eq!((Act::from_name(act.name()), act.info().act), (Some(*act), *act));
    }
}
