//! Where a service is: `tenure://host:port`.

use std::fmt;
use std::str::FromStr;

/// The port that a service listens on unless told otherwise.
pub(crate) const PORT: u16 = 6388;

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether the connection is encrypted (`tenures://`).
    pub(crate) tls: bool,
    /// A host name or an IP address, without the brackets that an IPv6 address has in a URL.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

/// Why a text is not the address of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAddress {
    /// It begins with neither `tenure://` nor `tenures://`.
    Scheme,
    /// It names more than one service.
    Several,
    /// There is something after the port, or a user before the host.
    Extra,
    /// There is no host.
    NoHost,
    /// An IPv6 address without brackets, or brackets around something else.
    Ipv6,
    /// The port is not a number from 1 to 65535.
    Port,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (tls, rest) = scheme(text).ok_or(BadAddress::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(',') {
            return Err(BadAddress::Several);
        }
        if rest.contains(['/', '@', '?', '#']) || rest.contains(char::is_whitespace) {
            return Err(BadAddress::Extra);
        }
        let (host, port) = split_port(rest)?;
        if host.is_empty() {
            return Err(BadAddress::NoHost);
        }
        Ok(Self { tls, host: host.to_owned(), port })
    }
}

fn scheme(text: &str) -> Option<(bool, &str)> {
    text.strip_prefix("tenure://")
        .map(|rest| (false, rest))
        .or_else(|| text.strip_prefix("tenures://").map(|rest| (true, rest)))
}

fn split_port(text: &str) -> Result<(&str, u16), BadAddress> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or(BadAddress::Ipv6)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| BadAddress::Ipv6)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, parse_port(port)?)),
            None if after.is_empty() => Ok((host, PORT)),
            None => Err(BadAddress::Port),
        };
    }
    match text.split_once(':') {
        None => Ok((text, PORT)),
        Some((_, more)) if more.contains(':') => Err(BadAddress::Ipv6),
        Some((host, port)) => Ok((host, parse_port(port)?)),
    }
}

fn parse_port(text: &str) -> Result<u16, BadAddress> {
    match text.parse() {
        Ok(0) | Err(_) => Err(BadAddress::Port),
        Ok(port) => Ok(port),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tenures" } else { "tenure" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the address of a service is written tenure://HOST:PORT",
            Self::Several => "one service only: this names several",
            Self::Extra => "nothing but a host and a port belongs into the address of a service",
            Self::NoHost => "there is no host in it",
            Self::Ipv6 => "an IPv6 address is written in brackets, as in tenure://[::1]:6388",
            Self::Port => "the port is a number from 1 to 65535",
        })
    }
}

impl std::error::Error for BadAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(tls: bool, host: &str, port: u16) -> Result<Address, BadAddress> {
        Ok(Address { tls, host: host.to_owned(), port })
    }

    #[test]
    fn host_and_port_are_read_and_the_port_may_be_left_out() {
        assert_eq!("tenure://127.0.0.1:7000".parse(), address(false, "127.0.0.1", 7000));
        assert_eq!("tenure://locks.internal".parse(), address(false, "locks.internal", PORT));
        assert_eq!("tenures://locks:1/".parse(), address(true, "locks", 1));
    }

    #[test]
    fn an_ipv6_address_needs_brackets() {
        assert_eq!("tenure://[::1]:7000".parse(), address(false, "::1", 7000));
        assert_eq!("tenure://[::1]".parse(), address(false, "::1", PORT));
        assert_eq!("tenure://::1".parse::<Address>(), Err(BadAddress::Ipv6));
        assert_eq!("tenure://[host]:1".parse::<Address>(), Err(BadAddress::Ipv6));
        assert_eq!("tenure://[::1".parse::<Address>(), Err(BadAddress::Ipv6));
        assert_eq!("tenure://[::1]7".parse::<Address>(), Err(BadAddress::Port));
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("127.0.0.1:6388", BadAddress::Scheme),
            ("redis://localhost", BadAddress::Scheme),
            ("tenure://", BadAddress::NoHost),
            ("tenure://:6388", BadAddress::NoHost),
            ("tenure://a:0", BadAddress::Port),
            ("tenure://a:70000", BadAddress::Port),
            ("tenure://a:", BadAddress::Port),
            ("tenure://a,b", BadAddress::Several),
            ("tenure://me@a", BadAddress::Extra),
            ("tenure://a/path", BadAddress::Extra),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }

    #[test]
    fn an_address_prints_as_it_is_written() {
        for text in ["tenure://[::1]:7000", "tenures://locks:6388"] {
            assert_eq!(text.parse::<Address>().expect("an address").to_string(), text);
        }
    }
}
