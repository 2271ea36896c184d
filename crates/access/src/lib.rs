//! Who may do what: the action catalogue, the Cedar schema and policies, the decision and its explanation.
//!
//! The caller resolves stored rows into a [`Grant`] and asks one [`Question`] per grant; [`Engine::decide`] answers with a
//! [`Verdict`] that names the policy which decided, says why, and on a no says which grant would have been needed.
//! A person with several grants is asked about once per grant: the union of what they allow applies, and a verdict with
//! `forbidden` set wins over all of them. That union is the caller's; here every grant is evaluated whole and alone.
//!
//! What this crate deliberately does not do: look anything up, cache, know how rows are stored, or answer per-row questions
//! other than the few protections that [`Subject`] carries. It reads no clock: `now` is part of the question.
//!
//! A door can ask for exactly the actions it is made for, so that a wrong pairing does not compile:
//! ```
//! use access::{Action, actions, door, plane};
//! fn read_data<A: Action<Plane = plane::Data, Door = door::Read>>() -> access::Act { A::ACT }
//! assert_eq!(read_data::<actions::FindingList>().name(), "finding.list");
//! ```
//! A writing action opens no reader:
//! ```compile_fail,E0271
//! use access::{Action, actions, door, plane};
//! fn read_data<A: Action<Plane = plane::Data, Door = door::Read>>() -> access::Act { A::ACT }
//! read_data::<actions::FindingAssign>();
//! ```
//! an action on control records opens no tenant data:
//! ```compile_fail,E0271
//! use access::{Action, actions, door, plane};
//! fn read_data<A: Action<Plane = plane::Data, Door = door::Read>>() -> access::Act { A::ACT }
//! read_data::<actions::MemberList>();
//! ```
//! and nobody outside this crate makes an action that the catalogue does not have:
//! ```compile_fail,E0277
//! struct Mine;
//! impl access::Action for Mine {
//!     const ACT: access::Act = access::Act::FindingList;
//!     type Plane = access::plane::Data;
//!     type Door = access::door::Read;
//! }
//! ```

mod catalogue;
mod cedar;
mod engine;
mod facts;
mod fold;
mod needs;
mod policies;
mod shape;
#[doc(hidden)]
pub mod text;
mod words;

pub use catalogue::{Act, Action, Door, Flags, Info, Op, Plane, actions, door, plane};
pub use engine::{Engine, Error, Verdict};
pub use facts::{
    Assignment, Elevation, Grant, Key, KeyPlace, Membership, Person, Place, ProviderFacts, Question, Relationship, Staff, Subject,
    TenantFacts,
};
pub use words::{
    AccessMode, Mask, Module, Modules, ProviderState, RelationshipState, StaffRole, TenantRole, TenantState, Tier, UnknownWord,
};
