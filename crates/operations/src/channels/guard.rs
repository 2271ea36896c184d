//! Where webhooks may go: to addresses that anybody on the Internet could reach, and to nothing within. The list is of what is allowed as global
//! unicast; everything that IANA's special-purpose registries (RFC 6890) name, and whatever wraps an IPv4 address in an IPv6 one, is not.
//!
//! Asked when an address is given, and at every connection about the very addresses that are connected to: a name that means something else
//! a moment later gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use kernel::validate::Check;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Longest address of a webhook.
const LENGTH_MAX: usize = 2_000;

/// Whether anybody on the Internet could reach it.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 175, 48)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // 2000::/3 is all that is given out (RFC 4291); within it Teredo and its neighbours, documentation and 6to4 are not hosts of anybody.
    let is_given_out = a & 0xe000 == 0x2000;
    let is_special = matches!((a, b), (0x2001, ..0x0200 | 0x0db8) | (0x2002, _) | (0x3fff, ..0x1000) | (0x2620, 0x004f));
    is_given_out && !is_special
}

/// The host of an address, for people.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// An address as it came in. What its name means is asked when it is used.
pub(super) fn check(check: &mut Check, field: &str, text: &str, may_be_private: bool) -> String {
    let text = text.trim();
    if text.len() > LENGTH_MAX {
        check.fail(field, "too_long", format!("may have at most {LENGTH_MAX} characters"));
        return String::new();
    }
    let Ok(mut url) = Url::parse(text) else {
        check.fail(field, "not_a_url", "is not an address like https://hooks.company.example/x");
        return String::new();
    };
    url.set_fragment(None);
    let is_https = url.scheme() == "https" || (may_be_private && url.scheme() == "http");
    check.that(is_https, field, "not_https", "must begin with https://");
    check.that(
        url.username().is_empty() && url.password().is_none(),
        field,
        "credentials",
        "may not have a user or password in it",
    );
    check.that(may_be_private || may_be_asked(&url), field, "private", "leads to a private or local address");
    url.into()
}

/// Whether the host is a name, or an address that is public.
pub(super) fn may_be_asked(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => is_public(address),
        // A name without a dot is one of this network.
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name.contains('.') && !name.ends_with(".localhost") && !name.ends_with(".local") && !name.ends_with(".internal")
        }
    }
}

/// Resolves names to public addresses only.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicOnly;

/// The name leads to nothing public.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private or local address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One that is private spoils all: nobody honest mixes them.
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_anybody_could_reach_is_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff::1",
        ] {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
        for public in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"]
        {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn addresses_are_refused_that_lead_inside_however_they_are_written() {
        for bad in [
            "http://hooks.example.com/x",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://localhost/",
            "https://intranet/",
            "https://a.localhost./",
            "https://metadata.internal/",
            "https://printer.local/",
            "https://user:pw@hooks.example.com/",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
            "hooks",
            "https://",
        ] {
            let mut check = Check::new();
            self::check(&mut check, "url", bad, false);
            assert!(check.done().is_err(), "{bad}");
        }
        let mut check = Check::new();
        assert_eq!(self::check(&mut check, "url", " https://Hooks.Example.com/x?y=1#z ", false), "https://hooks.example.com/x?y=1");
        self::check(&mut check, "url", "http://127.0.0.1:8080/", true);
        assert!(check.done().is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let resolved = PublicOnly.resolve("localhost".parse().expect("a name")).await;
        assert!(resolved.is_err());
    }
}
