//! Vectors made with `eth-account` 0.14.0 (PyPI), which shares no code with this crate. The key is the well-known
//! `46` times 32 of EIP-155's example, whose transaction is [`LEGACY`].

/// The private key.
pub(crate) const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
/// Its public key, compressed.
pub(crate) const PUBLIC_KEY: &str =
    "024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382";
/// Its address.
pub(crate) const FROM: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
/// The recipient in every vector.
pub(crate) const TO: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// A transfer, unsigned and signed (RFC 6979).
pub(crate) struct Vector {
    pub(crate) chain: u64,
    pub(crate) nonce: u64,
    /// Wei, decimal.
    pub(crate) value: &'static str,
    pub(crate) max_fee: u128,
    pub(crate) tip: u128,
    pub(crate) unsigned: &'static str,
    pub(crate) digest: &'static str,
    pub(crate) r: &'static str,
    pub(crate) s: &'static str,
    pub(crate) recovery_id: u8,
    pub(crate) raw: &'static str,
    pub(crate) hash: &'static str,
}

pub(crate) const TRANSFERS: [Vector; 4] = [
    Vector {
        chain: 1,
        nonce: 0,
        value: "0",
        max_fee: 0,
        tip: 0,
        unsigned: "02df01808080825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed8080c0",
        digest: "ed7f740d879a4559904272476d23a4dceb23da6b8fdefbef802576845b62f0d3",
        r: "db15b3298955eb47f64dc89c51a0d3968a40231f67c4f69c67a2c1b63e66c0d4",
        s: "793b9c43ddee4dcd98c60c432d47200297f73503f11c9dc777b039c0e0723867",
        recovery_id: 0,
        raw: "02f86201808080825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed8080c080a0db15b3298955eb47f64dc89c51a0d3968a40231f67c4f69c67a2c1b63e66c0d4a0793b9c43ddee4dcd98c60c432d47200297f73503f11c9dc777b039c0e0723867",
        hash: "b21b685191d638176ca2b01917a47fc7b7836b9631a3772d0a6b0a77edd537f5",
    },
    Vector {
        chain: 1,
        nonce: 9,
        value: "1000000000000000000",
        max_fee: 30_000_000_000,
        tip: 2_000_000_000,
        unsigned: "02f0010984773594008506fc23ac00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed880de0b6b3a764000080c0",
        digest: "3c3f60a79360b44b638d2628642800d2058683091e3cb908e220fc4e5271ea9f",
        r: "eecef48dc49df62a781aac862dc8dd04010c35c04c8d472d39a80e2c6c9b7502",
        s: "5c2f8bad8cbcc0a0c291dd757fb197fe3ebcab8a95d6afb6f8a3a2ac6658e503",
        recovery_id: 1,
        raw: "02f873010984773594008506fc23ac00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed880de0b6b3a764000080c001a0eecef48dc49df62a781aac862dc8dd04010c35c04c8d472d39a80e2c6c9b7502a05c2f8bad8cbcc0a0c291dd757fb197fe3ebcab8a95d6afb6f8a3a2ac6658e503",
        hash: "8b0aabefe6a01cf87660ea9780f7bc58dfa2df8aa17514aa142e54963f8a405b",
    },
    Vector {
        chain: 31337,
        nonce: 127,
        value: "500000000000000000",
        max_fee: 2_000_000_014,
        tip: 1_000_000_000,
        unsigned: "02f1827a697f843b9aca00847735940e825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed8806f05b59d3b2000080c0",
        digest: "c71de0cdcd1a4c041bc5b288c3d084612d68829ed305f3e0010c752d8ac0bcd9",
        r: "158cb5dad9a63df7e636014ffe9f62cc79175c0a0fd7adf57d6dba562dd0f0ca",
        s: "4f29d512300dbc3fdc37a2884de92d36004703cdce8875e8d07204b06cbfd592",
        recovery_id: 1,
        raw: "02f874827a697f843b9aca00847735940e825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed8806f05b59d3b2000080c001a0158cb5dad9a63df7e636014ffe9f62cc79175c0a0fd7adf57d6dba562dd0f0caa04f29d512300dbc3fdc37a2884de92d36004703cdce8875e8d07204b06cbfd592",
        hash: "bddd9c89f2fca5c89b0984ac894ca31bb6061e5357223e86ff6b35fe4fc7340a",
    },
    Vector {
        chain: 11_155_111,
        nonce: 128,
        value: "57896044618658097711785492504343953926634992332820282019741137682857799387858",
        max_fee: 1 << 100,
        tip: 1 << 64,
        unsigned: "02f85983aa36a78180890100000000000000008d10000000000000000000000000825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaeda0800000000000000000000000000000000000000000000000ab54a98ceb1f0ad280c0",
        digest: "6defd27d00e31e7cf99088cc406250e6aeec1390601bad1be86c24758676b4f5",
        r: "07325e4f6bbf57fec083e50ec579887c4603f5155722bb0a74e078e0ddf41964",
        s: "39eb5bd9a41387abba97818f34cb33fc8c12ed52d0a9e636a84d285863c9542c",
        recovery_id: 1,
        raw: "02f89c83aa36a78180890100000000000000008d10000000000000000000000000825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaeda0800000000000000000000000000000000000000000000000ab54a98ceb1f0ad280c001a007325e4f6bbf57fec083e50ec579887c4603f5155722bb0a74e078e0ddf41964a039eb5bd9a41387abba97818f34cb33fc8c12ed52d0a9e636a84d285863c9542c",
        hash: "5a8b2c86ec166d78d8de0edc7f35e70f61903bceb26c6fbaa5c0ee90b291e915",
    },
];

/// The example of EIP-155, unsigned and signed.
pub(crate) const LEGACY: [&str; 2] = [
    "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
];
/// EIP-2930 with an empty access list, unsigned and signed.
pub(crate) const EIP_2930: [&str; 2] = [
    "01e20101843b9aca00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0",
    "01f8650101843b9aca00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c080a013e6215c0460e42ceac3a16b610800a2faa813a8fd6673635ac68c7a4f8d1271a06c0a687465fb415d2a0479da10bd7b59c4d163bb8711c6a3746f4cbc589b6e05",
];
/// EIP-7702 with one authorisation, unsigned.
pub(crate) const EIP_7702: &str = "04f882010101843b9aca00830186a0945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0f85cf85a01945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0280a0a2b8cba23f520a7b67bd23effc217ef53cbc001df9cd7ea27b9927906973f8b7a00cd21108e9f686748a8b4562696f9d9720f2fd6e506e8cb3cecb5ad4b6dff305";
/// An ERC-20 `transfer`, unsigned and signed.
pub(crate) const ERC_20: [&str; 2] = [
    "02f868010101843b9aca0082ea60945aaeb6053f3e94c9b9a09f33669435e7ef1beaed80b844a9059cbb0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed0000000000000000000000000000000000000000000000000000000000000005c0",
    "02f8ab010101843b9aca0082ea60945aaeb6053f3e94c9b9a09f33669435e7ef1beaed80b844a9059cbb0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed0000000000000000000000000000000000000000000000000000000000000005c080a0ea0ebb2b98f30471a59d002991db98850d661b1fc009d3647c2585009c55cd82a0179df9baca70746be4623a1007029262db73c3e4cf82ad0ece3c08d0fcf1db05",
];
/// Two bytes of calldata, fewer than a selector.
pub(crate) const SHORT_CALLDATA: &str =
    "02e5010101843b9aca00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0182abcdc0";
/// An access list of one address.
pub(crate) const ACCESS_LIST: &str = "02f85c010101843b9aca00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180f838f7945aaeb6053f3e94c9b9a09f33669435e7ef1beaede1a00000000000000000000000000000000000000000000000000000000000000000";
/// 21,001 gas.
pub(crate) const MORE_GAS: &str =
    "02e3010101843b9aca00825209945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0";
/// No recipient, five bytes of init code.
pub(crate) const CREATION: &str = "02d4010101843b9aca008252088001856001600055c0";
/// A tip of 2 above a total of 1.
pub(crate) const TIP_ABOVE_FEE: &str =
    "02df01010201825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

pub(crate) fn array(hex: &str) -> [u8; 32] {
    bytes(hex).try_into().unwrap()
}
