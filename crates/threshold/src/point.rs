//! Public points and the little curve arithmetic that is the same for all suites.

use frost_core::{Ciphersuite, Element, Field, Group, Identifier, Scalar};
use serde::{Deserialize, Serialize};

use crate::committee::{Parameters, PartyIndex};
use crate::error::Error;
use crate::suite::Suite;

/// Runs `$body` with `$C` naming the `frost_core` ciphersuite of a [`Suite`].
///
/// Both secp256k1 suites use the *untweaked* ciphersuite: `frost-secp256k1-tr` would apply the
/// Taproot tweak inside its key generation, and the tweak belongs to signing.
macro_rules! with_ciphersuite {
    ($suite:expr, $C:ident => $body:expr) => {
        match $suite {
            $crate::Suite::EcdsaSecp256k1 | $crate::Suite::SchnorrSecp256k1 => {
                type $C = frost_secp256k1::Secp256K1Sha256;
                $body
            }
            $crate::Suite::EddsaEd25519 => {
                type $C = frost_ed25519::Ed25519Sha512;
                $body
            }
        }
    };
}
pub(crate) use with_ciphersuite;

const MAX_POINT_LEN: usize = 33;

/// A point of a suite's prime-order group, never the identity, held in its one canonical encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "PointWire", into = "PointWire")]
pub struct Point {
    suite: Suite,
    bytes: [u8; MAX_POINT_LEN],
}

impl Point {
    /// Decodes 33 bytes of compressed SEC1 (secp256k1) or 32 bytes of RFC 8032 (Ed25519).
    ///
    /// # Errors
    /// [`Error::Point`] for a wrong length, a point off the curve, the identity, a torsion
    /// component, or any encoding but the canonical one.
    pub fn decode(suite: Suite, bytes: &[u8]) -> Result<Self, Error> {
        with_ciphersuite!(suite, C => decode_element::<C>(bytes).map(|_| ()))
            .ok_or(Error::Point { suite })?;
        Ok(Self::from_canonical(suite, bytes))
    }

    /// The suite whose group the point is in.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The canonical encoding, 33 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..self.suite.point_len())
            .unwrap_or(&self.bytes)
    }

    /// `secret * G`.
    ///
    /// # Errors
    /// [`Error::Scalar`] if `secret` is not a canonical non-zero scalar.
    pub fn of_secret(suite: Suite, secret: &[u8; 32]) -> Result<Self, Error> {
        with_ciphersuite!(suite, C => {
            let scalar = decode_scalar::<C>(secret).ok_or(Error::Scalar { suite })?;
            let point = <<C as Ciphersuite>::Group as Group>::generator() * scalar;
            encode_element::<C>(&point).map(|bytes| Self::from_canonical(suite, &bytes))
        })
        .ok_or(Error::Scalar { suite })
    }

    /// This point moved by what takes `from` to `to`; `None` for another suite's points or the identity.
    pub(crate) fn moved_as(&self, from: &Self, to: &Self) -> Option<Self> {
        let suite = self.suite;
        if from.suite != suite || to.suite != suite {
            return None;
        }
        let bytes = with_ciphersuite!(suite, C => {
            let point = |point: &Self| decode_element::<C>(point.as_bytes());
            encode_element::<C>(&(point(self)? + point(to)? - point(from)?))?
        });
        Self::decode(suite, &bytes).ok()
    }

    fn from_canonical(suite: Suite, canonical: &[u8]) -> Self {
        let mut bytes = [0; MAX_POINT_LEN];
        for (to, from) in bytes.iter_mut().zip(canonical) {
            *to = *from;
        }
        Self { suite, bytes }
    }
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.suite)?;
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Serialize, Deserialize)]
struct PointWire(Suite, #[serde(with = "serde_bytes")] Vec<u8>);

impl TryFrom<PointWire> for Point {
    type Error = Error;
    fn try_from(wire: PointWire) -> Result<Self, Error> {
        Self::decode(wire.0, &wire.1)
    }
}

impl From<Point> for PointWire {
    fn from(point: Point) -> Self {
        Self(point.suite, point.as_bytes().to_vec())
    }
}

/// Decodes a non-identity, torsion-free element; `None` for every other encoding.
///
/// The library accepts SEC1's "compact" form (tag 5) as well; comparing the re-encoding refuses it.
pub(crate) fn decode_element<C: Ciphersuite>(bytes: &[u8]) -> Option<Element<C>> {
    let fixed = <C::Group as Group>::Serialization::try_from(bytes).ok()?;
    let element = <C::Group as Group>::deserialize(&fixed).ok()?;
    (encode_element::<C>(&element)? == bytes).then_some(element)
}

pub(crate) fn encode_element<C: Ciphersuite>(element: &Element<C>) -> Option<Vec<u8>> {
    <C::Group as Group>::serialize(element)
        .ok()
        .map(|bytes| bytes.as_ref().to_vec())
}

/// Decodes a canonical scalar other than zero.
pub(crate) fn decode_scalar<C: Ciphersuite>(bytes: &[u8; 32]) -> Option<Scalar<C>> {
    type F<C> = <<C as Ciphersuite>::Group as Group>::Field;
    let fixed = <F<C> as Field>::Serialization::try_from(bytes.as_slice()).ok()?;
    let scalar = F::<C>::deserialize(&fixed).ok()?;
    (scalar != F::<C>::zero()).then_some(scalar)
}

/// The scalar of a small number.
pub(crate) fn small_scalar<C: Ciphersuite>(number: u8) -> Scalar<C> {
    type F<C> = <<C as Ciphersuite>::Group as Group>::Field;
    (0..number).fold(F::<C>::zero(), |sum, _| sum + F::<C>::one())
}

/// The Lagrange coefficient of `i` at `x` for the interpolation set `set`; `None` if `set` repeats `i`.
pub(crate) fn lagrange<C: Ciphersuite>(
    set: &[PartyIndex],
    i: PartyIndex,
    x: u8,
) -> Option<Scalar<C>> {
    type F<C> = <<C as Ciphersuite>::Group as Group>::Field;
    let (at, own) = (small_scalar::<C>(x), small_scalar::<C>(i.get()));
    let (mut numerator, mut denominator) = (F::<C>::one(), F::<C>::one());
    for &j in set.iter().filter(|&&j| j != i) {
        let other = small_scalar::<C>(j.get());
        numerator = numerator * (at - other);
        denominator = denominator * (own - other);
    }
    F::<C>::invert(&denominator)
        .ok()
        .map(|inverse| numerator * inverse)
}

/// Evaluates at `x` the polynomial through the points of `set`; `None` on repeats.
fn interpolate<C: Ciphersuite>(points: &[(PartyIndex, Element<C>)], x: u8) -> Option<Element<C>> {
    let set: Vec<PartyIndex> = points.iter().map(|(index, _)| *index).collect();
    points
        .iter()
        .try_fold(<C::Group as Group>::identity(), |sum, (index, point)| {
            Some(sum + *point * lagrange::<C>(&set, *index, x)?)
        })
}

/// Whether `shares` (ordered by index) lie on one polynomial of degree `t - 1` through `key` at 0.
pub(crate) fn on_one_polynomial(parameters: Parameters, key: &Point, shares: &[Point]) -> bool {
    with_ciphersuite!(key.suite(), C => on_one_polynomial_of::<C>(parameters, key, shares).unwrap_or(false))
}

fn on_one_polynomial_of<C: Ciphersuite>(
    parameters: Parameters,
    key: &Point,
    shares: &[Point],
) -> Option<bool> {
    let points = parameters
        .indices()
        .zip(shares)
        .map(|(index, share)| Some((index, decode_element::<C>(share.as_bytes())?)))
        .collect::<Option<Vec<_>>>()?;
    let (base, rest) = points.split_at_checked(usize::from(parameters.threshold().get()))?;
    let at_zero = interpolate::<C>(base, 0)? == decode_element::<C>(key.as_bytes())?;
    let elsewhere = rest.iter().try_fold(true, |all, (index, point)| {
        Some(all && interpolate::<C>(base, index.get())? == *point)
    })?;
    Some(at_zero && elsewhere)
}

/// The library's name of an index: the same number.
pub(crate) fn identifier<C: Ciphersuite>(index: PartyIndex) -> Result<Identifier<C>, Error> {
    Identifier::try_from(u16::from(index.get())).map_err(library)
}

/// The library's refusal of a value.
pub(crate) fn library<C: Ciphersuite>(error: frost_core::Error<C>) -> Error {
    Error::Library {
        library: "frost-core",
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::{Error, Point, Suite};

    fn generator(suite: Suite) -> Point {
        let mut one = [0u8; 32];
        one[if suite == Suite::EddsaEd25519 { 0 } else { 31 }] = 1;
        Point::of_secret(suite, &one).unwrap()
    }

    #[test]
    fn generators_are_the_standard_ones() {
        let secp = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let ed = "5866666666666666666666666666666666666666666666666666666666666666";
        assert_eq!(
            hex::encode(generator(Suite::EcdsaSecp256k1).as_bytes()),
            secp
        );
        assert_eq!(hex::encode(generator(Suite::EddsaEd25519).as_bytes()), ed);
    }

    /// Identity, small-order, mixed-order and non-canonical encodings are refused without a panic.
    #[test]
    fn bad_ed25519_encodings_are_refused() {
        let bad = [
            "0100000000000000000000000000000000000000000000000000000000000000", // identity
            "0100000000000000000000000000000000000000000000000000000000000080", // identity, sign bit
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
            "0000000000000000000000000000000000000000000000000000000000000000", // order 4
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1
            "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", // not torsion-free, or off the curve
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // off the curve
        ];
        for encoding in bad {
            let bytes = hex::decode(encoding).unwrap();
            let error = Err(Error::Point {
                suite: Suite::EddsaEd25519,
            });
            assert_eq!(
                Point::decode(Suite::EddsaEd25519, &bytes),
                error,
                "{encoding}"
            );
        }
    }

    /// A valid point plus a point of order 8 passes a naive check and makes cofactored and
    /// cofactorless verifiers disagree.
    #[test]
    fn torsion_component_is_refused() {
        use curve25519_dalek_of_frost as ed;
        let mixed = ed::mixed_order_point();
        assert!(Point::decode(Suite::EddsaEd25519, &mixed).is_err());
    }

    mod curve25519_dalek_of_frost {
        use frost_core::Group;
        use frost_ed25519::Ed25519Group;

        /// `G + T` for a point `T` of order 2, `T = (0, -1)`: adding `T` negates both coordinates.
        pub(super) fn mixed_order_point() -> [u8; 32] {
            // compress(G + T): y becomes -y mod p, the sign of x flips.
            let g = Ed25519Group::serialize(&Ed25519Group::generator()).unwrap();
            let mut y = g;
            y[31] &= 0x7f;
            let mut p = [0xffu8; 32];
            (p[0], p[31]) = (0xed, 0x7f);
            let mut borrow = 0i16;
            let mut out = [0u8; 32];
            for i in 0..32 {
                let digit = i16::from(p[i]) - i16::from(y[i]) - borrow;
                borrow = i16::from(digit < 0);
                out[i] = u8::try_from(digit.rem_euclid(256)).unwrap();
            }
            out[31] |= (!g[31]) & 0x80;
            out
        }
    }

    /// SEC1 has several encodings of one point; only the compressed one is taken.
    #[test]
    fn bad_secp256k1_encodings_are_refused() {
        let good = generator(Suite::EcdsaSecp256k1);
        let mut compact = good.as_bytes().to_vec();
        compact[0] = 5;
        let mut hybrid = good.as_bytes().to_vec();
        hybrid[0] = 6;
        let off_curve = [[2u8].as_slice(), &[0u8; 31], &[5u8]].concat();
        let above_p = [[2u8].as_slice(), &[0xffu8; 32]].concat();
        for bytes in [
            compact,
            hybrid,
            off_curve,
            above_p,
            vec![0],
            vec![0; 33],
            vec![],
            vec![2; 65],
        ] {
            assert!(
                Point::decode(Suite::EcdsaSecp256k1, &bytes).is_err(),
                "{}",
                hex::encode(bytes)
            );
        }
        assert!(Point::decode(Suite::EcdsaSecp256k1, good.as_bytes()).is_ok());
    }

    /// Zero and values at or above the group order are no secrets.
    #[test]
    fn bad_scalars_are_refused() {
        for suite in Suite::ALL {
            assert!(Point::of_secret(suite, &[0; 32]).is_err());
            assert!(Point::of_secret(suite, &[0xff; 32]).is_err());
        }
    }
}
