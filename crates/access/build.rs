//! actions.tsv → the schema's actions and the Rust action types. A line that makes no sense stops the build here.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const MODULES: [&str; 8] =
    ["discovery", "finops", "governance", "secops", "orchestration", "observability", "compliance", "identity"];
const FLAGS: [&str; 8] = ["sus", "arch", "t1s", "subs", "step", "person", "chief", "e3s"];
/// Flags that are groups of actions in the schema.
const FLAG_GROUPS: [(&str, &str); 8] = [
    ("sus", "while_suspended"),
    ("arch", "while_archived"),
    ("t1s", "tier1_by_setting"),
    ("subs", "if_sub_providers"),
    ("step", "step_up"),
    ("person", "by_person"),
    ("chief", "by_chief"),
    ("e3s", "elevated_at_tier3"),
];

struct Line<'a> {
    name: &'a str,
    plane: &'a str,
    door: &'a str,
    op: &'a str,
    tier: &'a str,
    roles: &'a str,
    staff: &'a str,
    module: &'a str,
    flags: Vec<&'a str>,
}

fn main() {
    println!("cargo::rerun-if-changed=actions.tsv");
    println!("cargo::rerun-if-changed=policies/head.cedarschema");
    let text = fs::read_to_string("actions.tsv").expect("actions.tsv lies beside build.rs");
    let head = fs::read_to_string("policies/head.cedarschema").expect("the schema's head lies in policies/");
    let lines: Vec<Line<'_>> = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).map(parse).collect();

    let mut seen = BTreeSet::new();
    for line in &lines {
        assert!(seen.insert(line.name), "actions.tsv: {} stands twice", line.name);
        check(line);
    }

    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    fs::write(out.join("hub.cedarschema"), schema(&head, &lines)).expect("OUT_DIR is writable");
    fs::write(out.join("catalogue.rs"), rust(&lines)).expect("OUT_DIR is writable");
}

fn parse(line: &str) -> Line<'_> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, plane, door, op, tier, roles, staff, module, flags] = cells[..] else {
        panic!("actions.tsv: nine cells, separated by tabs, are wanted in: {line}");
    };
    let flags = if flags == "-" { Vec::new() } else { flags.split(' ').collect() };
    Line { name, plane, door, op, tier, roles, staff, module, flags }
}

fn check(l: &Line<'_>) {
    let name = l.name;
    let among = |value: &str, allowed: &[&str], what: &str| {
        assert!(allowed.contains(&value), "actions.tsv: {name}: {value:?} is no {what}: {allowed:?}");
    };
    let letters = |value: &str, allowed: &str, what: &str| {
        assert!(
            value == "-" || (!value.is_empty() && value.chars().all(|c| allowed.contains(c))),
            "actions.tsv: {name}: {value:?} is not made of {what} {allowed:?}"
        );
    };
    assert!(
        name.split('.').count() == 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.'),
        "actions.tsv: {name}: names are noun.verb in snake_case"
    );
    among(l.plane, &["data", "records", "provider", "client", "self", "public"], "plane");
    among(l.door, &["read", "write"], "door");
    among(l.op, &["view", "create", "update", "delete"], "op");
    among(l.tier, &["-", "0", "1", "2", "3"], "tier");
    letters(l.roles, "vuoa", "role letters");
    letters(l.staff, "pt", "staff letters");
    if l.module != "-" {
        among(l.module, &MODULES, "module");
    }
    for flag in &l.flags {
        among(flag, &FLAGS, "flag");
    }

    let has = |flag: &str| l.flags.contains(&flag);
    let rule = |holds: bool, what: &str| assert!(holds, "actions.tsv: {name}: {what}");
    let inside = matches!(l.plane, "data" | "records");
    let by_staff = matches!(l.plane, "provider" | "client");
    rule((l.door == "read") == (l.op == "view"), "the read door views, the write door does the rest");
    rule(inside || l.tier == "-", "only what lies inside a tenant has a tier");
    rule(inside || l.roles == "-", "only what lies inside a tenant has tenant roles");
    rule(inside || l.module == "-", "only what lies inside a tenant has a module");
    rule(by_staff == (l.staff != "-"), "staff roles belong to the provider and client planes, and there must be one");
    rule(!inside || l.tier != "-" || l.roles != "-", "nobody could ever do this");
    rule(!inside || l.roles == "-" || l.roles.contains('a'), "an admin may do everything in its own tenant");
    rule(l.plane != "client" || l.staff == "p", "no policy lets technicians onto the client plane");
    rule(!(has("sus") || has("arch")) || inside || l.plane == "client", "sus and arch are about a tenant");
    rule(!has("t1s") || l.tier == "2", "t1s lowers a T2 action to T1");
    rule(!has("subs") || l.plane == "provider", "subs is about a provider");
    rule(!matches!(l.tier, "0" | "1") || l.op == "view", "T0 and T1 change nothing");
    rule(!has("step") || has("person"), "what asks for a fresh second factor is done by a person");
    rule(!has("chief") || inside, "chief tells a provider's staff apart inside a tenant");
    rule(!has("e3s") || (inside && l.tier == "-"), "e3s opens to T3 what no tier reaches");
}

fn schema(head: &str, lines: &[Line<'_>]) -> String {
    let mut s = String::from(head);
    s.push_str(concat!(
        "// ---------- actions: made by build.rs from actions.tsv ----------\n",
        "action op_view, op_create, op_update, op_delete;\n",
        "action tier3;\naction tier2 in [tier3];\naction tier1 in [tier2];\naction tier0 in [tier1];\n",
        "action tier1_by_setting;\n",
        "action role_viewer, role_auditor, role_operator, role_admin;\n",
        "action by_provider_admin, by_technician;\n",
        "action while_suspended, while_archived, if_sub_providers;\n",
        "action step_up, by_person, by_chief, elevated_at_tier3;\n",
        "action own, public;\n",
    ));
    for l in lines {
        let mut groups = vec![format!("op_{}", l.op)];
        if l.tier != "-" {
            groups.push(format!("tier{}", l.tier));
        }
        for (letter, group) in [('v', "role_viewer"), ('u', "role_auditor"), ('o', "role_operator"), ('a', "role_admin")] {
            if l.roles.contains(letter) {
                groups.push(group.into());
            }
        }
        for (letter, group) in [('p', "by_provider_admin"), ('t', "by_technician")] {
            if l.staff.contains(letter) {
                groups.push(group.into());
            }
        }
        for (flag, group) in FLAG_GROUPS {
            if l.flags.contains(&flag) {
                groups.push(group.into());
            }
        }
        let (principal, resource, context) = match l.plane {
            "data" | "records" | "client" => ("Person", "Tenant", "AtTenant"),
            "provider" => ("Person", "Provider", "AtProvider"),
            "self" => ("Person", "Person", "Elsewhere"),
            _ => ("Nobody, Person", "Installation", "Elsewhere"),
        };
        match l.plane {
            "self" => groups.push("own".into()),
            "public" => groups.push("public".into()),
            _ => {}
        }
        writeln!(
            s,
            "action \"{}\" in [{}] appliesTo {{ principal: [{principal}], resource: [{resource}], context: {context} }};",
            l.name,
            groups.join(", ")
        )
        .expect("a String takes everything");
    }
    s
}

fn camel(snake: &str) -> String {
    snake
        .split(['.', '_'])
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

fn rust(lines: &[Line<'_>]) -> String {
    let mut s = String::from("// made by build.rs from actions.tsv\n");
    let mut put = |text: String| s.push_str(&text);

    put("/// Everything that can be done, by name.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(u16)]\npub enum Act {\n".into());
    for l in lines {
        put(format!("    /// `{}`\n    {},\n", l.name, camel(l.name)));
    }
    put("}\n\nimpl Act {\n    /// All of them, in the order of the catalogue.\n    pub const ALL: &'static [Act] = &[\n".into());
    for l in lines {
        put(format!("        Act::{},\n", camel(l.name)));
    }
    put("    ];\n}\n\n".into());

    put(format!("pub(crate) static CATALOGUE: [Info; {}] = [\n", lines.len()));
    for l in lines {
        let list = |letters: &str, names: &[(char, &str)]| -> String {
            names.iter().filter(|(c, _)| letters.contains(*c)).map(|(_, n)| format!("{n}, ")).collect()
        };
        let roles = list(
            l.roles,
            &[('v', "TenantRole::Viewer"), ('u', "TenantRole::Auditor"), ('o', "TenantRole::Operator"), ('a', "TenantRole::Admin")],
        );
        let staff = list(l.staff, &[('p', "StaffRole::ProviderAdmin"), ('t', "StaffRole::Technician")]);
        let tier = if l.tier == "-" { "None".into() } else { format!("Some(Tier::T{})", l.tier) };
        let module = if l.module == "-" { "None".into() } else { format!("Some(Module::{})", camel(l.module)) };
        let flag = |f: &str| l.flags.contains(&f);
        put(format!(
            "    Info {{ act: Act::{}, name: \"{}\", plane: Plane::{}, door: Door::{}, op: Op::{}, tier: {tier}, roles: &[{roles}], staff: &[{staff}], module: {module}, flags: Flags {{ suspended: {}, archived: {}, tier1_by_setting: {}, sub_providers: {}, step_up: {}, person: {}, chief: {}, elevated_at_tier3: {} }} }},\n",
            camel(l.name),
            l.name,
            plane(l),
            camel(l.door),
            camel(l.op),
            flag("sus"),
            flag("arch"),
            flag("t1s"),
            flag("subs"),
            flag("step"),
            flag("person"),
            flag("chief"),
            flag("e3s"),
        ));
    }
    put("];\n\n/// One type per action, for doors that open for one action only.\npub mod actions {\n    use super::{Act, Action, door, plane, sealed};\n".into());
    for l in lines {
        let name = camel(l.name);
        put(format!(
            "\n    /// `{}`\n    #[derive(Clone, Copy, Debug)]\n    pub struct {name};\n    impl sealed::Sealed for {name} {{}}\n    impl Action for {name} {{\n        const ACT: Act = Act::{name};\n        type Plane = plane::{};\n        type Door = door::{};\n    }}\n",
            l.name,
            plane(l),
            camel(l.door),
        ));
    }
    put("}\n".into());
    s
}

fn plane(l: &Line<'_>) -> String {
    if l.plane == "self" { "Own".into() } else { camel(l.plane) }
}
