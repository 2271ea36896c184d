//! What a client of the demo owns: things with names as people give them, some of which come and go.

use formats::Resource;

use super::catalogue::{Area, Kind};
use super::random::Random;
use super::scans::Profile;

/// One thing that checks look at.
#[derive(Clone)]
pub(crate) struct Thing {
    pub kind: Kind,
    pub resource: Resource,
    /// Its name for people.
    pub name: String,
    /// The scans in which it is there.
    pub there: std::ops::Range<usize>,
    /// Who looks after it and what it is for, as tags say.
    pub tags: [(&'static str, &'static str); 2],
}

/// How things of a kind are called, and how many a small client has.
struct Family {
    kind: Kind,
    label: &'static str,
    count: usize,
    /// There is one, whatever the size.
    single: bool,
    names: &'static [&'static str],
}

const fn single(kind: Kind, label: &'static str) -> Family {
    Family { kind, label, count: 1, single: true, names: &[] }
}

const fn many(kind: Kind, label: &'static str, count: usize, names: &'static [&'static str]) -> Family {
    Family { kind, label, count, single: false, names }
}

pub(crate) const GIVEN: &[&str] = &[
    "amelia",
    "noor",
    "jonas",
    "chloe",
    "rafael",
    "mei",
    "oskar",
    "priscilla",
    "tariq",
    "hanna",
    "diego",
    "yuki",
    "fergus",
    "leila",
    "anton",
    "bridget",
    "kwame",
    "sofia",
    "emil",
    "grace",
    "ivo",
    "nadia",
    "pavel",
    "ruth",
    "samir",
    "tess",
    "ulla",
    "victor",
];
pub(crate) const FAMILY: &[&str] = &[
    "hart",
    "lindqvist",
    "moreau",
    "adeyemi",
    "kovacs",
    "brandt",
    "sullivan",
    "tanaka",
    "ferreira",
    "osei",
    "novak",
    "ramsey",
    "whitfield",
    "duarte",
    "eriksen",
    "ashby",
    "petrov",
    "lang",
    "castell",
    "quinn",
];

const AWS: &[Family] = &[
    single(Kind::AwsAccount, "AwsAccount"),
    many(Kind::AwsUser, "AwsIamUser", 4, &["deploy", "backup-agent", "ci-runner", "reporting", "terraform", "monitoring"]),
    many(Kind::AwsPolicy, "AwsIamPolicy", 2, &["developers", "legacy-admin", "operations", "data-export"]),
    many(Kind::AwsBucket, "AwsS3Bucket", 3, &["assets", "backups", "images", "logs", "exports", "uploads", "invoices", "website"]),
    many(Kind::AwsDatabase, "AwsRdsDbInstance", 1, &["orders", "bookings", "reporting", "archive"]),
    many(Kind::AwsTrail, "AwsCloudTrailTrail", 1, &["main", "audit", "organisation"]),
    many(Kind::AwsKey, "AwsKmsKey", 2, &["backups", "database", "exports", "signing"]),
    many(Kind::AwsVpc, "AwsEc2Vpc", 1, &["production", "staging", "office"]),
    many(Kind::AwsSecurityGroup, "AwsEc2SecurityGroup", 3, &["web-front", "bastion", "database", "workers", "vpn", "batch"]),
    many(Kind::AwsInstance, "AwsEc2Instance", 3, &["web-01", "web-02", "worker-01", "bastion-01", "files-01", "build-01"]),
];
const AZURE: &[Family] = &[
    single(Kind::AzureSubscription, "AzureSubscription"),
    many(
        Kind::AzureStorage,
        "Microsoft.Storage/storageAccounts",
        3,
        &["prodimages", "backups", "diaglogs", "exports", "webassets"],
    ),
    many(Kind::AzureSql, "Microsoft.Sql/servers", 1, &["orders", "records", "reporting"]),
    many(Kind::AzureVault, "Microsoft.KeyVault/vaults", 1, &["kv-prod", "kv-staging", "kv-shared"]),
    many(Kind::AzureNsg, "Microsoft.Network/networkSecurityGroups", 2, &["web-front", "management", "workers", "database"]),
    many(Kind::AzureVm, "Microsoft.Compute/virtualMachines", 3, &["app-01", "app-02", "files-01", "rds-01", "print-01", "erp-01"]),
    many(Kind::AzureApp, "Microsoft.Web/sites", 2, &["booking-portal", "intranet", "api", "careers"]),
];
const M365: &[Family] = &[
    single(Kind::M365Organisation, "M365Organisation"),
    many(Kind::M365Admin, "M365User", 2, &["adm", "admin-cloud", "admin-backup", "admin-exchange"]),
    many(Kind::M365User, "M365User", 14, &[]),
    many(Kind::M365Mailbox, "M365Mailbox", 4, &["info", "accounts", "reception", "jobs", "orders", "support", "press", "hr"]),
    many(Kind::M365Domain, "M365Domain", 1, &["", "mail.", "news."]),
    many(Kind::M365Site, "M365Site", 3, &["team", "finance", "projects", "board", "handbook", "partners"]),
];
const CODE: &[Family] = &[
    many(Kind::TfBucket, "resource", 3, &["assets", "backups", "logs", "exports"]),
    many(Kind::TfNetwork, "resource", 3, &["web", "database", "workers", "bastion"]),
    many(Kind::TfDatabase, "resource", 2, &["orders", "reporting", "sessions"]),
    many(Kind::TfRole, "resource", 3, &["deploy", "worker", "export", "reader"]),
    many(Kind::Dockerfile, "file", 2, &["api", "web", "worker"]),
    many(Kind::Manifest, "file", 3, &["api", "web", "worker", "cron"]),
    many(Kind::Workflow, "file", 2, &["build", "deploy", "nightly"]),
];
const HOSTS: &[&str] = &["files-01", "erp-01", "web-01", "db-01", "print-01", "backup-01"];

/// What this client owns in an area. A thing that is not there from the first scan to the last of `scans` came or went between.
pub(crate) fn things(profile: &Profile, area: Area, scans: usize) -> Vec<Thing> {
    let mut random = Random::of(&format!("{}/{area:?}/things", profile.slug));
    let hosts;
    let families = match area {
        Area::Aws => AWS,
        Area::Azure => AZURE,
        Area::M365 => M365,
        Area::Code => CODE,
        Area::Linux => {
            hosts = [Family { kind: Kind::Host, label: "host", count: profile.hosts, single: true, names: HOSTS }];
            &hosts
        }
    };
    let place = Place::of(profile, area, &mut random);
    let mut things = Vec::new();
    for family in families {
        let count = if family.single { family.count } else { family.count * profile.size };
        for (at, name) in names(family, count, &mut random).into_iter().enumerate() {
            let there = if at == 0 || family.single { 0..scans } else { lifetime(scans, &mut random) };
            let tags = [("environment", pick(&["production", "staging", "shared"], &mut random)), owner(&mut random)];
            let resource = place.resource(family, &name, &mut random);
            let name = resource.name.clone().unwrap_or(name);
            things.push(Thing { kind: family.kind, resource, name, there, tags });
        }
    }
    things
}

fn owner(random: &mut Random) -> (&'static str, &'static str) {
    ("owner", pick(&["platform", "web", "finance", "operations", "data"], random))
}

/// Most things were always there; some came later and some went.
fn lifetime(scans: usize, random: &mut Random) -> std::ops::Range<usize> {
    match random.below(12) {
        0 => random.below(scans)..scans,
        1 if scans > 4 => 0..scans / 2 + random.below(scans / 2),
        _ => 0..scans,
    }
}

fn pick<'a>(items: &[&'a str], random: &mut Random) -> &'a str {
    items[random.below(items.len())]
}

fn names(family: &Family, count: usize, random: &mut Random) -> Vec<String> {
    if matches!(family.kind, Kind::M365User) {
        let mut all: Vec<String> =
            GIVEN.iter().flat_map(|given| FAMILY.iter().map(move |name| format!("{given}.{name}"))).collect();
        random.shuffle(&mut all);
        all.truncate(count);
        return all;
    }
    if family.names.is_empty() {
        return vec![String::new(); count];
    }
    let name = |at: usize| match at / family.names.len() {
        0 => family.names[at].to_owned(),
        round => format!("{}-{}", family.names[at % family.names.len()], round + 1),
    };
    (0..count.min(family.names.len() * 3)).map(name).collect()
}

/// Where an area's things live.
struct Place {
    slug: &'static str,
    account: String,
    number: String,
    subscription: String,
    region: &'static str,
}

impl Place {
    fn of(profile: &Profile, area: Area, random: &mut Random) -> Self {
        let number = format!("{:012}", 100_000_000_000 + random.next() % 900_000_000_000);
        let (one, two) = (random.next(), random.next());
        let subscription = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            one >> 16 & 0xffff,
            one & 0xfff,
            two >> 52,
            two & 0xffff_ffff_ffff
        );
        let (account, regions): (_, &[&str]) = match area {
            Area::Aws => ("aws-prod", &["eu-west-1", "eu-central-1", "eu-west-2"]),
            Area::Azure => ("azure-prod", &["westeurope", "uksouth", "northeurope"]),
            Area::M365 => ("m365", &["global"]),
            Area::Linux | Area::Code => ("", &[""]),
        };
        Self { slug: profile.slug, account: account.to_owned(), number, subscription, region: pick(regions, random) }
    }

    fn resource(&self, family: &Family, name: &str, random: &mut Random) -> Resource {
        let (slug, number, region) = (self.slug, &self.number, self.region);
        let short = slug.replace('-', "");
        let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{number}:{rest}");
        let hex = format!("{:017x}", random.next() >> 8);
        let azure =
            |name: &str| format!("/subscriptions/{}/resourceGroups/rg-{slug}/providers/{}/{name}", self.subscription, family.label);
        let domain = format!("{slug}.example");
        let (uid, name) = match family.kind {
            Kind::AwsAccount => (format!("arn:aws:iam::{number}:root"), "aws-prod".to_owned()),
            Kind::AwsUser => (format!("arn:aws:iam::{number}:user/{name}"), name.to_owned()),
            Kind::AwsPolicy => (format!("arn:aws:iam::{number}:policy/{name}"), name.to_owned()),
            Kind::AwsBucket => (format!("arn:aws:s3:::{slug}-{name}"), format!("{slug}-{name}")),
            Kind::AwsDatabase => (arn("rds", &format!("db:{name}")), name.to_owned()),
            Kind::AwsTrail => (arn("cloudtrail", &format!("trail/{name}")), name.to_owned()),
            Kind::AwsKey => (arn("kms", &format!("key/{hex}")), format!("alias/{name}")),
            Kind::AwsVpc => (arn("ec2", &format!("vpc/vpc-{hex}")), name.to_owned()),
            Kind::AwsSecurityGroup => (arn("ec2", &format!("security-group/sg-{hex}")), name.to_owned()),
            Kind::AwsInstance => (arn("ec2", &format!("instance/i-{hex}")), name.to_owned()),
            Kind::AzureSubscription => (format!("/subscriptions/{}", self.subscription), "azure-prod".to_owned()),
            Kind::AzureStorage => (azure(&format!("{short}{name}")), format!("{short}{name}")),
            Kind::AzureSql => (azure(&format!("{slug}-{name}")), format!("{slug}-{name}")),
            Kind::AzureVault | Kind::AzureNsg | Kind::AzureVm | Kind::AzureApp => (azure(name), name.to_owned()),
            Kind::M365Organisation => (domain.clone(), domain),
            Kind::M365Admin | Kind::M365User | Kind::M365Mailbox => (format!("{name}@{domain}"), format!("{name}@{domain}")),
            Kind::M365Domain => (format!("dns/{name}{domain}"), format!("{name}{domain}")),
            Kind::M365Site => (format!("https://{slug}.sharepoint.example/sites/{name}"), format!("sites/{name}")),
            Kind::Host => (format!("{name}.{domain}"), format!("{name}.{domain}")),
            Kind::TfBucket => (format!("infra/storage.tf#aws_s3_bucket.{name}"), name.to_owned()),
            Kind::TfNetwork => (format!("infra/network.tf#aws_security_group.{name}"), name.to_owned()),
            Kind::TfDatabase => (format!("infra/database.tf#aws_db_instance.{name}"), name.to_owned()),
            Kind::TfRole => (format!("infra/roles.tf#aws_iam_role.{name}"), name.to_owned()),
            Kind::Dockerfile => (format!("services/{name}/Dockerfile"), format!("services/{name}/Dockerfile")),
            Kind::Manifest => (format!("deploy/{name}.yaml"), format!("deploy/{name}.yaml")),
            Kind::Workflow => (format!(".github/workflows/{name}.yml"), format!(".github/workflows/{name}.yml")),
        };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Resource { uid, name: Some(name), kind: some(family.label), region: some(region), account: some(&self.account) }
    }
}
