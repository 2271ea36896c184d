//! The attributes of an OCSF event that are looked at. Text borrows from the record; what is seldom needed stays raw.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::few::Few;

#[derive(serde::Deserialize)]
#[serde(expecting = "an OCSF event (a JSON object)")]
pub(super) struct Record<'a> {
    pub(super) class_uid: Option<Whole<99_999_999>>,
    #[serde(borrow)]
    pub(super) class_name: Option<Text<'a>>,
    pub(super) severity_id: Option<Whole<99>>,
    pub(super) status_id: Option<Whole<99>>,
    #[serde(borrow)]
    pub(super) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) status_code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) status_detail: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) risk_details: Option<Text<'a>>,
    pub(super) time: Option<Time>,
    #[serde(borrow)]
    pub(super) time_dt: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    pub(super) finding_info: Option<FindingInfo<'a>>,
    #[serde(borrow)]
    pub(super) resources: Option<Few<Thing<'a>>>,
    #[serde(borrow)]
    pub(super) resource: Option<Thing<'a>>,
    #[serde(borrow)]
    pub(super) device: Option<Device<'a>>,
    #[serde(borrow)]
    pub(super) cloud: Option<Cloud<'a>>,
    #[serde(borrow)]
    pub(super) compliance: Option<Compliance<'a>>,
    #[serde(borrow)]
    pub(super) remediation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) unmapped: Option<Unmapped<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn title(&self) -> Option<&str> {
        let info = self.finding_info.as_ref()?;
        let named = info.analytic.as_ref().and_then(|analytic| analytic.name.as_deref());
        info.title.as_deref().filter(|title| !title.is_empty()).or(named)
    }

    pub(super) fn first_resource(&self) -> Option<&Thing<'a>> {
        self.resources.as_ref().and_then(|things| things.first()).or(self.resource.as_ref())
    }
}

/// Enough of an event to know that it is none of ours.
#[derive(serde::Deserialize)]
pub(super) struct Class<'a> {
    pub(super) class_uid: Option<Whole<99_999_999>>,
    #[serde(borrow)]
    pub(super) class_name: Option<Text<'a>>,
}

impl Class<'_> {
    pub(super) fn is_other(&self) -> bool {
        self.class_uid.is_some_and(|uid| uid.0 != super::COMPLIANCE_FINDING && uid.0 != super::DETECTION_FINDING)
    }
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event_code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) product: Option<Product<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Product<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) version: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct FindingInfo<'a> {
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) title: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) desc: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) analytic: Option<Analytic<'a>>,
    pub(super) created_time: Option<Time>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Analytic<'a> {
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
}

/// An OCSF resource_details object.
#[derive(serde::Deserialize)]
#[serde(expecting = "a resource (an object)")]
pub(super) struct Thing<'a> {
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) region: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) owner: Option<Owner<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Owner<'a> {
    #[serde(borrow)]
    pub(super) account: Option<Account<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Account<'a> {
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Device<'a> {
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) hostname: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Cloud<'a> {
    #[serde(borrow)]
    pub(super) account: Option<Account<'a>>,
    #[serde(borrow)]
    pub(super) region: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Compliance<'a> {
    #[serde(borrow)]
    pub(super) control: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) standards: Option<Few<Text<'a>, 1000>>,
    #[serde(borrow)]
    pub(super) requirements: Option<Few<Text<'a>, 1000>>,
    #[serde(borrow)]
    pub(super) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) status_detail: Option<Text<'a>>,
    pub(super) status_id: Option<Whole<99>>,
}

#[derive(Default, serde::Deserialize)]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub(super) desc: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) references: Option<Few<Text<'a>, 1000>>,
}

/// Text that borrows where it can, which `Option<Cow<str>>` does not do by itself.
#[derive(Clone, Hash)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Texts)
    }
}

/// A whole number from 0 to `MAX`.
#[derive(Clone, Copy)]
pub(super) struct Whole<const MAX: u64>(pub(super) u64);

impl<'de, const MAX: u64> Deserialize<'de> for Whole<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wholes<const MAX: u64>;
        impl<const MAX: u64> Visitor<'_> for Wholes<MAX> {
            type Value = Whole<MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an integer between 0 and {MAX}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<MAX>, E> {
                if number > MAX {
                    return Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self));
                }
                Ok(Whole(number))
            }
        }
        deserializer.deserialize_u64(Wholes::<MAX>)
    }
}

/// A time stamp, in a unit that is guessed later.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) i64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Times;
        impl Visitor<'_> for Times {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time stamp as a number of milliseconds or seconds")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Time, E> {
                Ok(Time(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Time, E> {
                i64::try_from(number).map(Time).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Time, E> {
                // Saturates; a time beyond all bounds is none.
                Ok(Time(number as i64))
            }
        }
        deserializer.deserialize_any(Times)
    }
}

/// Whatever a tool puts under `unmapped`; only an object's `compliance` is of interest.
#[derive(Default)]
pub(super) struct Unmapped<'a> {
    pub(super) compliance: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Unmapped<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unmappeds;
        impl<'de> Visitor<'de> for Unmappeds {
            type Value = Unmapped<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unmapped<'de>, A::Error> {
                let mut unmapped = Unmapped::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if &*key == "compliance" {
                        unmapped.compliance = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(unmapped)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unmapped<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Unmapped::default())
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Unmapped<'de>, E> {
                Ok(Unmapped::default())
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Unmapped<'de>, E> {
                Ok(Unmapped::default())
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Unmapped<'de>, E> {
                Ok(Unmapped::default())
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Unmapped<'de>, E> {
                Ok(Unmapped::default())
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Unmapped<'de>, E> {
                Ok(Unmapped::default())
            }
        }
        deserializer.deserialize_any(Unmappeds)
    }
}

/// Prowler's `{"CIS-3.0": ["1.4", "1.5"], …}` as pairs, in the order of the file.
pub(super) struct Frameworks<'a>(pub(super) Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Frameworks<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Frameworks<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of lists")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frameworks<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((framework, requirements)) = map.next_entry::<Text<'de>, Few<Text<'de>, 1000>>()? {
                    if pairs.len() < super::FRAMEWORKS_MAX {
                        pairs.extend(requirements.iter().map(|requirement| (framework.clone(), requirement.clone())));
                    }
                }
                Ok(Frameworks(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
