//! product.md §4 and §5 as tables, held against the engine cell by cell. Written from product.md, not from actions.tsv:
//! an action without a row here fails, and so does a cell that the house answers otherwise.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use access::{Act, Grant, Plane, StaffRole, TenantRole, Tier};
use common::{Ask, explicit, member, provider_admin, staff, technician};

/// One row of product.md §4, with the actions there are for it. Cells: T0 T1 T2 T3 admin operator auditor viewer.
struct Row {
    title: &'static str,
    cells: &'static str,
    actions: &'static [Act],
}

const INSIDE: &[Row] = &[
    Row { title: "see summary", cells: "✔ ✔ ✔ ✔ ✔ ✔ ✔ ✔", actions: &[Act::SummaryView, Act::ContextView] },
    Row {
        title: "read scans, controls, findings, dashboards, reports",
        cells: "– ✔ ✔ ✔ ✔ ✔ ✔ ✔",
        actions: &[
            Act::ScanList,
            Act::ScanView,
            Act::FrameworkList,
            Act::ControlList,
            Act::ControlView,
            Act::ScoreList,
            Act::FindingList,
            Act::FindingView,
            Act::FindingExport,
            Act::OverrideList,
        ],
    },
    Row {
        title: "read members and groups", cells: "– ✔ ✔ ✔ ✔ self ✔ –", actions: &[Act::MemberList, Act::MemberInvitationList]
    },
    Row { title: "comment, open change request", cells: "– S ✔ ✔ ✔ ✔ ✔ –", actions: &[Act::CommentCreate] },
    Row {
        title: "create/revoke override (with expiry)",
        cells: "– – ✔ ✔ ✔ – ✔ –",
        actions: &[Act::OverrideCreate, Act::OverrideRevoke],
    },
    Row {
        // not in the table: what a tab that is open in a tenant listens to
        title: "learn that one's own access changed",
        cells: "✔ ✔ ✔ ✔ ✔ ✔ ✔ ✔",
        actions: &[Act::ContextWatch],
    },
    Row {
        title: "API keys", cells: "– – – chief ✔ – – –", actions: &[Act::ApiKeyList, Act::ApiKeyCreate, Act::ApiKeyRevoke]
    },
    Row {
        // who may what, and why: read like the ledger, by those who check on others
        title: "explain access",
        cells: "– – – ✔ ✔ – ✔ –",
        actions: &[Act::WhyView, Act::WhyWho, Act::WhyWhat],
    },
    Row {
        title: "see who from the provider reaches us",
        cells: "– – – – ✔ – ✔ –",
        actions: &[Act::ProviderAccessView, Act::AccessRequestList],
    },
    Row {
        title: "freeze provider, remove a technician here, approve elevation",
        cells: "– – – – ✔ – – –",
        actions: &[
            Act::ProviderAccessUpdate,
            Act::ProviderAccessFreeze,
            Act::ProviderAccessUnfreeze,
            Act::ProviderAccessRemove,
            Act::ProviderAccessAdmit,
            Act::AccessRequestApprove,
            Act::AccessRequestDeny,
            Act::AccessRequestEnd,
        ],
    },
    Row {
        title: "roadmap, assign controls, zones",
        cells: "– – ✔ ✔ ✔ own-tasks assign –",
        actions: &[Act::FindingAssign, Act::FindingTake, Act::AssigneeList],
    },
    Row { title: "start scan, trigger remediation", cells: "– – ✔ ✔ ✔ – – –", actions: &[Act::ScanImport] },
    Row {
        title: "invite, disable, provision members",
        cells: "– – E ✔ ✔ – – –",
        actions: &[
            Act::MemberInvite,
            Act::MemberUpdate,
            Act::MemberDisable,
            Act::MemberEnable,
            Act::MemberRemove,
            Act::MemberInvitationRevoke,
        ],
    },
    Row { title: "grant or remove tenant admin", cells: "– – – E+S ✔ – – –", actions: &[Act::MemberGrantAdmin] },
    Row {
        title: "sign-in policy, SSO, directory", cells: "– – – ✔ ✔ – view –", actions: &[Act::SettingView, Act::SettingUpdate]
    },
    Row {
        title: "read ledger", cells: "– own-acts own-acts ✔ ✔ – ✔ –", actions: &[Act::LedgerList, Act::LedgerListOwn]
    },
    // read like the ledger: whether it holds, and its signed heads
    Row { title: "verify ledger", cells: "– – – ✔ ✔ – ✔ –", actions: &[Act::LedgerVerify, Act::LedgerCheckpoints] },
    Row {
        title: "export ledger or bundle", cells: "– – – – ✔ – ledger –", actions: &[Act::LedgerExport, Act::BundleExport]
    },
    Row {
        title: "see own bill, plan and use of it",
        cells: "– – – – ✔ – – –",
        actions: &[Act::BillList, Act::BillExport, Act::LicenceView],
    },
    // §6: the administrator of an installation without a provider; anywhere else the slice says no
    Row { title: "activate a licence", cells: "– – – – ✔ – – –", actions: &[Act::MspLicenceActivate] },
    Row {
        title: "branding",
        cells: "– – – ✔ ✔ – – –",
        actions: &[Act::TenantBrandView, Act::TenantBrandUpdate, Act::TenantBrandAssetCreate],
    },
    Row { title: "read alerts", cells: "– ✔ ✔ ✔ ✔ ✔ ✔ ✔", actions: &[Act::AlertList] },
    Row {
        title: "acknowledge, snooze, link alerts",
        cells: "– – ✔ ✔ ✔ ✔ – –",
        actions: &[Act::AlertAcknowledge, Act::AlertSnooze, Act::AlertResolve],
    },
    Row {
        title: "leave, and ask to be purged",
        cells: "– – – – ✔ – – –",
        actions: &[Act::OffboardingView, Act::PurgeRequestCreate, Act::PurgeRequestWithdraw],
    },
];

/// What a cell says about one of its row's actions, with settings off and without elevations.
fn read_cell(cell: &str, act: Act) -> bool {
    match cell {
        "✔" => true,
        "–" | "E" | "E+S" | "S" => false,
        "chief" => false,
        // one's own row is read through me.view
        "self" => false,
        "own-tasks" => act == Act::FindingTake,
        "assign" => matches!(act, Act::FindingAssign | Act::FindingTake | Act::AssigneeList),
        "view" => act == Act::SettingView,
        "own-acts" => act == Act::LedgerListOwn,
        "ledger" => act == Act::LedgerExport,
        other => panic!("what does {other:?} mean?"),
    }
}

const TENANT_ROLES: [TenantRole; 4] = [TenantRole::Admin, TenantRole::Operator, TenantRole::Auditor, TenantRole::Viewer];

fn assert_cell(row: &str, who: &str, act: Act, grant: Grant, expected: bool) {
    let verdict = Ask::new(act, grant).verdict();
    assert_eq!(verdict.allowed, expected, "{row:?}: {act} by {who}: {verdict:?}");
    assert!(!verdict.forbidden, "{row:?}: {act} by {who}: a missing right is no forbid: {verdict:?}");
}

#[test]
fn inside_a_tenant_every_cell_is_as_the_product_says() {
    for row in INSIDE {
        let cells: Vec<&str> = row.cells.split(' ').collect();
        assert_eq!(cells.len(), 8, "{}", row.title);
        for act in row.actions {
            for (tier, cell) in Tier::ALL.iter().zip(&cells) {
                let expected = read_cell(cell, *act);
                let chief = *cell == "chief";
                assert_cell(row.title, &format!("provider admin at {tier}"), *act, provider_admin(*tier), expected || chief);
                if act.info().flags.chief {
                    assert!(!Ask::new(*act, technician(*tier)).allowed(), "{act}");
                } else {
                    assert_cell(row.title, &format!("technician at {tier}"), *act, technician(*tier), expected);
                }
                let summary = act.info().tier == Some(Tier::T0);
                assert_cell(row.title, &format!("explicit admin at {tier}"), *act, explicit(provider_admin(*tier)), summary);
            }
            for (role, cell) in TENANT_ROLES.iter().zip(&cells[4..]) {
                assert_cell(row.title, role.as_str(), *act, member(*role), read_cell(cell, *act));
            }
        }
    }
}

#[test]
fn every_action_inside_a_tenant_stands_in_one_row() {
    let rows: Vec<Act> = INSIDE.iter().flat_map(|row| row.actions).copied().collect();
    let inside: BTreeSet<Act> = Act::ALL.iter().copied().filter(|a| a.info().plane.is_inside()).collect();
    assert_eq!(rows.iter().copied().collect::<BTreeSet<_>>(), inside);
    assert_eq!(rows.len(), inside.len(), "an action stands in two rows");
}

#[test]
fn a_setting_lets_t1_comment_and_does_nothing_else() {
    for act in Act::ALL.iter().filter(|a| a.info().plane.is_inside()) {
        for grant in [provider_admin(Tier::T1), technician(Tier::T1)] {
            let off = Ask::new(*act, grant.clone());
            let on = off.clone().tenant(|t| t.t1_may_comment = true);
            assert_eq!(on.allowed(), off.allowed() || *act == Act::CommentCreate, "{act}");
            assert!(!(on.allowed() && *act == Act::CommentCreate && off.allowed()), "the setting is off by default");
        }
        for grant in [provider_admin(Tier::T0), member(TenantRole::Viewer)] {
            let off = Ask::new(*act, grant);
            assert_eq!(off.clone().tenant(|t| t.t1_may_comment = true).allowed(), off.allowed(), "{act}");
        }
    }
}

#[test]
fn a_tier_includes_all_below_it() {
    for act in Act::ALL.iter().filter(|a| a.info().plane.is_inside()) {
        for pair in Tier::ALL.windows(2) {
            assert!(
                Ask::new(*act, provider_admin(pair[1])).allowed() >= Ask::new(*act, provider_admin(pair[0])).allowed(),
                "{act}"
            );
        }
        assert!(
            !Ask::new(*act, provider_admin(Tier::T1)).allowed() || act.info().op == access::Op::View,
            "{act}: T1 changes nothing"
        );
    }
}

/// One row of product.md §5, with the actions there are for it. Cells: provider admin, technician, tenant admin.
const OUTSIDE: &[Row] = &[
    Row {
        title: "create provider, mark an organisation as MSP, activate licence",
        cells: "S – –",
        actions: &[Act::SubProviderCreate],
    },
    Row { title: "sub-providers of one's own", cells: "✔ – –", actions: &[Act::SubProviderList, Act::SubProviderUpdate] },
    Row { title: "create tenant", cells: "✔ – –", actions: &[Act::TenantCreate] },
    Row { title: "list tenants and summaries", cells: "✔ assigned self", actions: &[Act::ClientList, Act::ClientExport] },
    // the provider's book of its tenants; technicians list theirs through client.list
    Row { title: "the tenants as the provider keeps them", cells: "✔ – –", actions: &[Act::TenantList, Act::TenantView] },
    Row {
        title: "suspend, archive, restore",
        cells: "✔ – –",
        actions: &[Act::TenantSuspend, Act::TenantResume, Act::TenantArchive, Act::TenantRestore],
    },
    Row { title: "purge", cells: "✔ – –", actions: &[Act::TenantPurge] },
    Row {
        title: "set or change tier; end relationship",
        cells: "✔ – –",
        actions: &[
            Act::RelationshipUpdate,
            Act::RelationshipList,
            Act::RelationshipRenew,
            Act::RelationshipPreview,
            Act::RelationshipWithdraw,
            Act::RelationshipFreeze,
            Act::RelationshipUnfreeze,
        ],
    },
    Row { title: "explain what one's own staff may do", cells: "✔ – –", actions: &[Act::ClientWhyView, Act::ClientWhyList] },
    Row {
        title: "elevation templates; approve elevation",
        cells: "✔ – –",
        actions: &[
            Act::ElevationTemplateCreate,
            Act::ElevationTemplateUpdate,
            Act::ElevationTemplateDelete,
            Act::ElevationList,
            Act::ElevationApprove,
            Act::ElevationDeny,
            Act::ElevationEnd,
            Act::ElevationReport,
        ],
    },
    Row {
        title: "ask for an elevation",
        cells: "✔ ✔ –",
        actions: &[Act::ElevationTemplateList, Act::ElevationListOwn, Act::ElevationRequest, Act::ElevationEndOwn],
    },
    Row {
        title: "API keys of the provider",
        cells: "✔ – –",
        actions: &[Act::ProviderApiKeyList, Act::ProviderApiKeyCreate, Act::ProviderApiKeyRevoke],
    },
    Row {
        title: "invite staff, set assignments",
        cells: "✔ – –",
        actions: &[
            Act::StaffList,
            Act::StaffView,
            Act::StaffInvite,
            Act::StaffUpdate,
            Act::StaffDisable,
            Act::StaffEnable,
            Act::StaffRemove,
            Act::StaffInvitationList,
            Act::StaffInvitationRevoke,
            Act::AssignmentList,
            Act::AssignmentCreate,
            Act::AssignmentUpdate,
            Act::AssignmentDelete,
        ],
    },
    Row { title: "plans, prices, modules, limits", cells: "✔ – –", actions: &[Act::PlanList, Act::TenantUpdate] },
    Row { title: "provider brand", cells: "✔ – –", actions: &[Act::ProviderUpdate] },
    Row { title: "the provider one works for", cells: "✔ ✔ –", actions: &[Act::ProviderView] },
    Row {
        title: "the provider's own ledger",
        cells: "✔ – –",
        actions: &[Act::ProviderLedgerList, Act::ProviderLedgerExport, Act::ProviderLedgerCheckpoints, Act::ProviderLedgerVerify],
    },
    Row { title: "certificates of what was purged", cells: "✔ – –", actions: &[Act::CertificateList, Act::CertificateView] },
    Row {
        title: "plans and what they bring in",
        cells: "✔ – –",
        actions: &[
            Act::PlanCreate,
            Act::PlanUpdate,
            Act::PlanRetire,
            Act::PlanVersionList,
            Act::PlanPreview,
            Act::PlanAssign,
            Act::RevenueList,
            Act::RevenueExport,
            Act::LicensingUpdate,
        ],
    },
    Row { title: "licensing page (KPIs, usage)", cells: "✔ assigned self", actions: &[Act::LicensingView, Act::LicensingExport] },
    Row { title: "the installation's licence", cells: "✔ – –", actions: &[Act::MspLicenceView] },
    Row {
        title: "provider brand, baselines, tenant groups, fleet changes",
        cells: "✔ – –",
        actions: &[
            Act::ProviderBrandView,
            Act::ProviderBrandUpdate,
            Act::ProviderBrandAssetCreate,
            Act::HostNameList,
            Act::HostNameCreate,
            Act::HostNameDelete,
            Act::TenantGroupList,
            Act::TenantGroupView,
            Act::TenantGroupCreate,
            Act::TenantGroupUpdate,
            Act::TenantGroupDelete,
            Act::GroupGrantList,
            Act::GroupGrantCreate,
            Act::GroupGrantUpdate,
            Act::GroupGrantDelete,
            Act::FleetChangeApprove,
            Act::FleetChangeResume,
            Act::FleetChangeUndo,
        ],
    },
    Row {
        title: "draft fleet changes on assigned",
        cells: "✔ ✔ –",
        actions: &[Act::FleetChangeList, Act::FleetChangeView, Act::FleetChangeCreate, Act::FleetChangeCancel],
    },
    Row {
        title: "settings and presets",
        cells: "✔ – –",
        actions: &[
            Act::ProviderSettingList,
            Act::ProviderSettingUpdate,
            Act::PresetList,
            Act::PresetApply,
            Act::ClientSettingList,
            Act::ClientSettingUpdate,
        ],
    },
    Row {
        title: "onboarding, holds, the first of two who purge",
        cells: "✔ – –",
        actions: &[
            Act::OnboardingView,
            Act::OnboardingUpdate,
            Act::TenantRequestPurge,
            Act::TenantWithdrawPurge,
            Act::TenantHold,
            Act::TenantRelease,
        ],
    },
    Row { title: "a technician leaves", cells: "✔ – –", actions: &[Act::StaffLeavingView, Act::StaffLeavingApply] },
    Row {
        title: "pages across clients, each as far as one's rights there",
        cells: "✔ ✔ –",
        actions: &[
            Act::ProviderAlertList,
            Act::ClientFindingList,
            Act::ClientMemberList,
            Act::ClientActivityList,
            Act::ClientModuleList,
        ],
    },
    Row {
        title: "decide on the provider's own alerts",
        cells: "✔ – –",
        actions: &[Act::ProviderAlertAcknowledge, Act::ProviderAlertSnooze, Act::ProviderAlertResolve],
    },
    Row { title: "connections (e-mail)", cells: "✔ – –", actions: &[Act::MailList, Act::MailRetry, Act::MailTest] },
];

#[test]
fn outside_a_tenant_every_cell_is_as_the_product_says() {
    for row in OUTSIDE {
        let cells: Vec<bool> = row.cells.split(' ').map(|cell| matches!(cell, "✔" | "assigned")).collect();
        for act in row.actions {
            match act.info().plane {
                Plane::Provider => {
                    assert_cell_or_stop(row, *act, staff(StaffRole::ProviderAdmin), cells[0]);
                    assert_cell_or_stop(row, *act, staff(StaffRole::Technician), cells[1]);
                    assert_cell_or_stop(row, *act, member(TenantRole::Admin), cells[2]);
                    assert_cell_or_stop(row, *act, provider_admin(Tier::T3), false);
                }
                Plane::Client => {
                    for tier in Tier::ALL {
                        assert_client_cell(row, *act, provider_admin(*tier), cells[0]);
                        assert_client_cell(row, *act, explicit(provider_admin(*tier)), cells[0]);
                        assert_client_cell(row, *act, technician(*tier), cells[1]);
                    }
                    for role in TENANT_ROLES {
                        assert_client_cell(row, *act, member(role), cells[2] && role == TenantRole::Admin);
                    }
                }
                plane => panic!("{act} is of the plane {plane:?}"),
            }
        }
    }
}

fn assert_cell_or_stop(row: &Row, act: Act, grant: Grant, expected: bool) {
    let verdict = Ask::new(act, grant.clone()).verdict();
    assert_eq!(verdict.allowed, expected, "{:?}: {act} by {grant:?}: {verdict:?}", row.title);
    if row.cells.starts_with('S') {
        let chief = matches!(&grant, Grant::Staff { staff, .. } if staff.role == StaffRole::ProviderAdmin);
        let with_setting = Ask::new(act, grant).provider(|p| p.sub_providers = true);
        assert_eq!(with_setting.allowed(), chief, "{act} with the setting");
    }
}

/// `tenant.restore` and its like answer in the states they are for as in the others: whether they make sense is not access.
fn assert_client_cell(row: &Row, act: Act, grant: Grant, expected: bool) {
    let verdict = Ask::new(act, grant).verdict();
    assert_eq!(verdict.allowed, expected, "{:?}: {act}: {verdict:?}", row.title);
}

#[test]
fn every_action_of_providers_stands_in_one_row() {
    let rows: Vec<Act> = OUTSIDE.iter().flat_map(|row| row.actions).copied().collect();
    let outside: BTreeSet<Act> =
        Act::ALL.iter().copied().filter(|a| matches!(a.info().plane, Plane::Provider | Plane::Client)).collect();
    assert_eq!(rows.iter().copied().collect::<BTreeSet<_>>(), outside);
    assert_eq!(rows.len(), outside.len(), "an action stands in two rows");
}
