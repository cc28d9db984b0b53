//! What every `--help` begins with.

pub(super) const ROOT: &str = "\
Examples:
  quorate node init                                       make this folder a member's
  quorate node run                                        run the daemon (in its own terminal)
  quorate vault create family --threshold 2 --members 3   begin a vault and invite
  quorate vault join CODE --at HOST:PORT                  join it, on another machine
  quorate chain add dev --rpc http://127.0.0.1:8545       say where a chain answers
  quorate send 0.25 ETH --to 0x...                        request a payment
  quorate approve ID                                      agree to it";
pub(super) const SEND: &str = "\
Examples:
  quorate send 0.25 ETH --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
  quorate send max ETH --to 0x... --dry-run         show amount and fee, request nothing
  quorate send 1.5 ETH --to 0x... --note \"rent, May\" --expires 3d --wait=10m
  quorate send 2 ETH --to 0x... --chain eip155:1 --max-fee 0.01 --idempotency-key inv-17";
pub(super) const RECEIVE: &str = "\
Examples:
  quorate receive
  quorate receive --vault family --json";
pub(super) const BALANCE: &str = "\
Examples:
  quorate balance
  quorate balance --chain eip155:1 --json";
pub(super) const HISTORY: &str = "\
Examples:
  quorate history
  quorate history --vault family --json";
pub(super) const APPROVE: &str = "\
Examples:
  quorate approve 3f9a                      shows what it does, then asks for the PIN
  quorate approve 3f9a --dry-run            only shows what it does
  quorate approve 3f9a --pin-file pin.txt --wait=5m";
pub(super) const REJECT: &str = "\
Examples:
  quorate reject 3f9a
  quorate reject 3f9a --note \"not our supplier\"";
pub(super) const REQUESTS: &str = "\
Examples:
  quorate requests                          open ones
  quorate requests --state mine             open ones that wait for you
  quorate request list --state all --json";
pub(super) const WATCH: &str = "\
Examples:
  quorate watch
  quorate watch --json
  quorate watch --exec 'notify-send \"Quorate: a request waits\" \"$1\"'
  quorate watch --wait=1h                   stop after an hour";
pub(super) const REQUEST: &str = "\
Examples:
  quorate request list
  quorate request show 3f9a
  quorate request wait 3f9a --wait=10m";
pub(super) const REQUEST_SHOW: &str = "\
Examples:
  quorate request show 3f9a
  quorate request show 3f9a --json";
pub(super) const REQUEST_CANCEL: &str = "\
Examples:
  quorate request cancel 3f9a";
pub(super) const REQUEST_WAIT: &str = "\
Examples:
  quorate request wait 3f9a                 until it is mined or dead
  quorate request wait 3f9a --until signed --wait=2m";
pub(super) const REQUEST_REPLACE: &str = "\
Examples:
  quorate request replace 3f9a
  quorate request replace 3f9a --wait=5m

It competes for the same slot: the chain takes at most one of the two. No new approvals are needed.";
pub(super) const VAULT: &str = "\
Examples:
  quorate vault create family --threshold 2 --members 3
  quorate vault join CODE --at 192.0.2.7:4410
  quorate vault show";
pub(super) const VAULT_CREATE: &str = "\
Examples:
  quorate vault create family --threshold 2 --members 3
  quorate vault create treasury --threshold 3 --members 5 --controller acme --trust-domain berlin-office

On a terminal it waits until all have joined, shows the six words, and asks you to compare them.
You can leave at any time and go on with `quorate vault join --vault NAME`.";
pub(super) const VAULT_JOIN: &str = "\
Examples:
  quorate vault join CODE --at 192.0.2.7:4410
  quorate vault join                        go on: compare the six words and confirm
  quorate vault join --words \"one two three four five six\" --pin-file pin.txt --wait=2m

The member that began the vault confirms in the same way.";
pub(super) const VAULT_LIST: &str = "\
Examples:
  quorate vault list
  quorate vault list --json";
pub(super) const VAULT_SHOW: &str = "\
Examples:
  quorate vault show
  quorate vault show family --json";
pub(super) const ADDRESS: &str = "\
Examples:
  quorate address list";
pub(super) const ADDRESS_LIST: &str = "\
Examples:
  quorate address list
  quorate address list --vault family --json";
pub(super) const LOG: &str = "\
Examples:
  quorate log show
  quorate log export bundle.json
  quorate log verify bundle.json";
pub(super) const LOG_SHOW: &str = "\
Examples:
  quorate log show
  quorate log show --request 3f9a
  quorate log show --author alice --from 10 --json";
pub(super) const LOG_EXPORT: &str = "\
Examples:
  quorate log export bundle.json";
pub(super) const LOG_VERIFY: &str = "\
Examples:
  quorate log verify bundle.json
  quorate log verify bundle.json --words \"one two three four five six\"";
pub(super) const CHAIN: &str = "\
Examples:
  quorate chain add dev --rpc http://127.0.0.1:8545
  quorate chain list";
pub(super) const CHAIN_ADD: &str = "\
Examples:
  quorate chain add dev --rpc http://127.0.0.1:8545
  quorate chain add main --rpc https://rpc.example.org --chain eip155:1";
pub(super) const CHAIN_LIST: &str = "\
Examples:
  quorate chain list
  quorate chain list --json";
pub(super) const CHAIN_SHOW: &str = "\
Examples:
  quorate chain show dev";
pub(super) const CHAIN_REMOVE: &str = "\
Examples:
  quorate chain remove dev";
pub(super) const NODE: &str = "\
Examples:
  quorate node init --name alice
  quorate node run
  quorate node status";
pub(super) const NODE_INIT: &str = "\
Examples:
  quorate node init
  quorate node init --name alice --dir ~/alice
  quorate node init --name server --passphrase-file pass.txt --pin-file pin.txt";
pub(super) const NODE_RUN: &str = "\
Examples:
  quorate node run
  quorate node run --listen 0.0.0.0:4409 --pairing 0.0.0.0:4410
  quorate node run --passphrase-file pass.txt";
pub(super) const NODE_STATUS: &str = "\
Examples:
  quorate node status
  quorate node status --json";
pub(super) const NODE_PASSPHRASE: &str = "\
Examples:
  quorate node passphrase
  quorate node passphrase --passphrase-file old.txt --new-passphrase-file new.txt";
pub(super) const NODE_PIN: &str = "\
Examples:
  quorate node pin
  quorate node pin --pin-file old.txt --new-pin-file new.txt";
pub(super) const NODE_SERVICE: &str = "\
Examples:
  quorate node service install --print
  quorate node service install --passphrase-file ~/quorate.pass --listen 0.0.0.0:4409
  sudo quorate node service install --user quorate --dir /var/lib/quorate --passphrase-file /root/quorate.pass";
pub(super) const DEMO: &str = "\
Examples:
  anvil &                                   a development node, with funded accounts
  quorate demo --rpc http://127.0.0.1:8545
  quorate demo --rpc http://127.0.0.1:8545 --dir ./demo-data";
pub(super) const DOCTOR: &str = "\
Examples:
  quorate doctor
  quorate doctor --json";
pub(super) const COMPLETIONS: &str = "\
Examples:
  quorate completions bash > ~/.local/share/bash-completion/completions/quorate
  quorate completions zsh > ~/.zfunc/_quorate
  quorate completions fish > ~/.config/fish/completions/quorate.fish";
