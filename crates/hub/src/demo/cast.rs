//! The clients and the people of the demo. All of them are invented, and live in the reserved domain `example`.

use super::catalogue::Area;
use super::estate::{FAMILY, GIVEN};
use super::random::Random;
use super::scans::Profile;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub name: String,
    pub email: String,
}

impl Person {
    fn new(name: &str, domain: &str) -> Self {
        Self { name: name.to_owned(), email: format!("{}@{domain}", name.to_lowercase().replace(' ', ".")) }
    }
}

/// The provider admin.
pub(super) fn priya() -> Person {
    Person::new("Priya Nair", "northwind.example")
}

/// The technician who does most.
pub(super) fn tom() -> Person {
    Person::new("Tom Becker", "northwind.example")
}

/// The technician who may not delete.
pub(super) fn lena() -> Person {
    Person::new("Lena Fischer", "northwind.example")
}

/// The technician who watches.
pub(super) fn sam() -> Person {
    Person::new("Sam Okafor", "northwind.example")
}

/// The admin of the sub-provider.
pub(super) fn harriet() -> Person {
    Person::new("Harriet Cole", "harbor.example")
}

/// What becomes of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Suspended(&'static str),
    Archived(&'static str),
    /// Its contract ends so many days from now.
    Ends(i64),
}

/// A client of the demo.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub name: &'static str,
    pub industry: &'static str,
    pub plan: &'static str,
    pub tier: &'static str,
    pub profile: Profile,
    /// Less than the plan's.
    pub seats_max: Option<u32>,
    /// Roles of its members besides the first admin.
    pub roles: &'static [&'static str],
    pub fate: Fate,
    /// Whether the small demo has it too.
    pub is_small: bool,
}

const AWS: &[Area] = &[Area::Aws];
const AZURE: &[Area] = &[Area::Azure, Area::M365];
const AWS_M365: &[Area] = &[Area::Aws, Area::M365];
const OFFICE: &[Area] = &[Area::M365];
const ALL: &[Area] = &[Area::Aws, Area::Azure, Area::M365];

const fn client(slug: &'static str, name: &'static str, industry: &'static str, plan: &'static str, tier: &'static str) -> Client {
    let profile =
        Profile { slug, clouds: AZURE, hosts: 0, repository: false, size: 1, score: (70, 75), scans_max: 14, last_scan_hours: 9 };
    let roles = &["operator", "viewer"];
    Client { name, industry, plan, tier, profile, seats_max: None, roles, fate: Fate::Stays, is_small: false }
}

impl Client {
    const fn owns(mut self, clouds: &'static [Area], size: usize) -> Self {
        self.profile.clouds = clouds;
        self.profile.size = size;
        self
    }

    const fn hosts(mut self, hosts: usize) -> Self {
        self.profile.hosts = hosts;
        self
    }

    const fn repository(mut self) -> Self {
        self.profile.repository = true;
        self
    }

    const fn score(mut self, from: u8, to: u8) -> Self {
        self.profile.score = (from, to);
        self
    }

    const fn scanned(mut self, hours_ago: u32) -> Self {
        self.profile.last_scan_hours = hours_ago;
        self
    }

    const fn scans_max(mut self, scans_max: usize) -> Self {
        self.profile.scans_max = scans_max;
        self
    }

    const fn seats(mut self, seats_max: u32) -> Self {
        self.seats_max = Some(seats_max);
        self
    }

    const fn roles(mut self, roles: &'static [&'static str]) -> Self {
        self.roles = roles;
        self
    }

    const fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    const fn small(mut self) -> Self {
        self.is_small = true;
        self
    }

    /// Its slug.
    pub(super) fn slug(&self) -> &'static str {
        self.profile.slug
    }

    /// Whether its provider may change things in it.
    pub(super) fn is_operated(&self) -> bool {
        matches!(self.tier, "T2" | "T3")
    }

    /// Its people with their roles, the first admin first.
    pub(super) fn people(&self) -> Vec<(&'static str, Person)> {
        let domain = format!("{}.example", self.slug());
        let roles = std::iter::once("admin").chain(self.roles.iter().copied());
        if self.slug() == "acme" {
            let names = ["Dana Whitlock", "Marcus Osei", "Ingrid Falk", "Noor Rahman"];
            return roles.zip(names.map(|name| Person::new(name, &domain))).collect();
        }
        let mut random = Random::of(&format!("{}/people", self.slug()));
        let (mut given, mut family) = (GIVEN.to_vec(), FAMILY.to_vec());
        random.shuffle(&mut given);
        random.shuffle(&mut family);
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        let names = given.iter().zip(&family).map(|(given, family)| format!("{} {}", capital(given), capital(family)));
        roles.zip(names.map(|name| Person::new(&name, &domain))).collect()
    }
}

/// The clients of Northwind IT.
pub(super) const CLIENTS: &[Client] = &[
    client("acme", "Acme Dental Group", "Healthcare", "Essentials", "T3")
        .owns(ALL, 2)
        .hosts(3)
        .repository()
        .score(49, 61)
        .scanned(5)
        .roles(&["operator", "auditor", "viewer"])
        .small(),
    client("glasswing", "Glasswing Studios", "Media", "Essentials", "T1").owns(AWS, 2).score(55, 58).scanned(15 * 24).small(),
    client("lumen-oak", "Lumen & Oak Architects", "Professional services", "Complete", "T1").score(61, 57).scanned(20),
    client("stonebridge", "Stonebridge Capital", "Finance", "Secure", "T3")
        .owns(ALL, 2)
        .hosts(4)
        .score(58, 56)
        .scanned(17)
        .roles(&["admin", "operator", "auditor", "auditor", "viewer"]),
    client("dunmore", "Dunmore County Council", "Public sector", "Essentials", "T2")
        .owns(AZURE, 2)
        .score(62, 51)
        .scanned(6)
        .small(),
    client("thistle", "Thistle & Co", "Professional services", "Complete", "T2").owns(OFFICE, 2).score(47, 52),
    client("redwood", "Redwood Analytics", "Technology", "Secure", "T2").owns(AWS_M365, 2).repository().score(66, 61).scanned(7),
    client("tamarack", "Tamarack Outdoors", "Retail", "Essentials", "T1")
        .owns(AWS_M365, 1)
        .score(57, 61)
        .scanned(15)
        .seats(3)
        .roles(&["operator", "operator", "viewer", "viewer"])
        .small(),
    client("silverline", "Silverline Transit", "Transport", "Essentials", "T1").score(54, 62).scanned(19),
    client("saltmarsh", "Saltmarsh Energy", "Utilities", "Complete", "T1").owns(AWS, 2).hosts(3).score(68, 69).scanned(20 * 24),
    client("juniper-house", "Juniper House Care", "Healthcare", "Essentials", "T2").owns(OFFICE, 2).score(56, 65).scanned(22),
    client("alder-finch", "Alder & Finch LLP", "Legal", "Secure", "T3")
        .owns(OFFICE, 2)
        .score(60, 67)
        .scanned(4)
        .roles(&["auditor", "viewer"]),
    client("cascade", "Cascade Credit Union", "Finance", "Secure", "T2")
        .owns(ALL, 1)
        .hosts(3)
        .score(78, 86)
        .scanned(3)
        .seats(4)
        .roles(&["operator", "auditor", "viewer"]),
    client("ironbridge", "Ironbridge Steel", "Manufacturing", "Essentials", "T2").score(72, 79).scanned(11),
    client("kestrel", "Kestrel Aviation", "Transport", "Secure", "T2")
        .owns(AWS_M365, 1)
        .repository()
        .score(81, 84)
        .scanned(8)
        .seats(4)
        .roles(&["admin", "operator", "operator", "auditor", "viewer"]),
    client("marlowe", "Marlowe Wealth", "Finance", "Complete", "T3").score(84, 91).scanned(2).fate(Fate::Ends(12)),
    client("bayside", "Bayside Logistics", "Transport", "Essentials", "T2").owns(AWS, 2).score(75, 73).scanned(13),
    client("hexley", "Hexley Biotech", "Life sciences", "Complete", "T3").owns(AWS_M365, 2).repository().score(88, 94).scanned(1),
    client("northfield", "Northfield Dairy", "Agriculture", "Essentials", "T1").owns(OFFICE, 2).score(80, 88).scanned(16),
    client("wren", "Wren Publishing", "Media", "Essentials", "T2").owns(OFFICE, 2).score(90, 97).scanned(10),
    client("brightline", "Brightline Robotics", "Manufacturing", "Secure", "T0").owns(AWS, 2).score(79, 82).scanned(12),
    client("elm-street", "Elm Street Clinics", "Healthcare", "Essentials", "T2").scans_max(0).roles(&["viewer"]).small(),
    client("cobalt", "Cobalt Mining", "Resources", "Secure", "T2")
        .owns(AZURE, 1)
        .score(66, 64)
        .scanned(9 * 24)
        .scans_max(4)
        .fate(Fate::Suspended("The invoices of the last two quarters are open."))
        .small(),
    client("orchard", "Orchard Legal", "Legal", "Essentials", "T2")
        .owns(OFFICE, 2)
        .score(71, 74)
        .scanned(40 * 24)
        .scans_max(3)
        .fate(Fate::Archived("The contract ended; the practice was sold.")),
];

/// The clients of Harbor Managed Services.
pub(super) const HARBOR_CLIENTS: &[Client] = &[
    client("tidewater", "Tidewater Marine", "Transport", "Essentials", "T2").owns(AWS, 2).score(70, 77).scanned(6).small(),
    client("pinecrest", "Pinecrest Realty", "Real estate", "Secure", "T1").owns(OFFICE, 2).score(63, 66).scanned(30),
];

/// What technicians are given.
pub(super) struct Assigned {
    pub who: fn() -> Person,
    /// The highest tier; a client's own may be lower.
    pub tier: &'static str,
    /// May view, create, update, delete.
    pub mask: [bool; 4],
    /// Slugs.
    pub clients: &'static [&'static str],
}

/// The assignments.
pub(super) const ASSIGNED: &[Assigned] = &[
    Assigned {
        who: tom,
        tier: "T3",
        mask: [true, true, true, true],
        clients: &[
            "acme",
            "stonebridge",
            "dunmore",
            "thistle",
            "redwood",
            "alder-finch",
            "cascade",
            "ironbridge",
            "kestrel",
            "marlowe",
            "hexley",
            "cobalt",
        ],
    },
    Assigned {
        who: lena,
        tier: "T2",
        mask: [true, true, true, false],
        clients: &["acme", "dunmore", "juniper-house", "bayside", "wren", "elm-street"],
    },
    Assigned { who: sam, tier: "T1", mask: [true, false, false, false], clients: &["acme", "glasswing", "tamarack", "saltmarsh"] },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_and_nothing_has_two_meanings() {
        let clients = || CLIENTS.iter().chain(HARBOR_CLIENTS);
        assert_eq!((CLIENTS.len(), CLIENTS.iter().filter(|client| client.is_small).count()), (24, 6));
        assert_eq!(clients().map(Client::slug).collect::<HashSet<_>>().len(), 26);
        let mut emails: Vec<String> = clients().flat_map(Client::people).map(|(_, person)| person.email).collect();
        emails.extend([priya(), tom(), lena(), sam(), harriet()].map(|person| person.email));
        assert_eq!(emails.iter().collect::<HashSet<_>>().len(), emails.len());
        for assigned in ASSIGNED {
            assert!(assigned.clients.iter().all(|slug| CLIENTS.iter().any(|client| client.slug() == *slug)));
        }
        let over: Vec<_> =
            clients().filter(|client| client.seats_max.is_some_and(|seats| client.people().len() > seats as usize)).collect();
        assert_eq!(over.len(), 2);
    }
}
