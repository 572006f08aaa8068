// Check receipts with @sigstore/verify, the verifier that npm itself carries.
//
//     node verify.js FOLDER-OF-@sigstore/verify < QUESTIONS
//
// Reads lines of JSON {"name", "receipt", "key"}: a receipt in base64, and the Ed25519
// key of its log as {"id", "origin", "spki"}. Prints for each {"name", "error"}, the
// error empty where the receipt holds.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [folder] = process.argv.slice(2);
const { toTrustMaterial } = require(folder);
// What `Verifier.verify` calls for each entry of a transparency log.
const { verifyTLogInclusion } = require(join(folder, "dist", "tlog"));

const PKIX_ED25519 = 7;

function log({ id, origin, spki }) {
  const { tlogs } = toTrustMaterial({
    tlogs: [
      {
        baseUrl: `https://${origin}`,
        checkpointKeyId: { keyId: Buffer.from(id, "base64") },
        publicKey: { keyDetails: PKIX_ED25519, rawBytes: Buffer.from(spki, "base64") },
      },
    ],
    ctlogs: [],
    certificateAuthorities: [],
    timestampAuthorities: [],
  });
  return tlogs;
}

// The lines of C2SP's tlog-proof, as the entry of a log that Sigstore's bundles hold.
function read(receipt) {
  const gap = receipt.indexOf("\n\n");
  const [header, extra, index, ...hashes] = receipt.slice(0, gap).split("\n");
  if (gap < 0 || header !== "c2sp.org/tlog-proof@v1") throw new Error("not a receipt");
  return {
    canonicalizedBody: Buffer.from(extra.split(" ")[1], "base64"),
    inclusionProof: {
      logIndex: index.split(" ")[1],
      hashes: hashes.map((each) => Buffer.from(each, "base64")),
      checkpoint: { envelope: receipt.slice(gap + 2) },
    },
  };
}

function objection({ receipt, key }) {
  try {
    verifyTLogInclusion(read(Buffer.from(receipt, "base64").toString("utf8")), log(key));
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`;
  }
  return "";
}

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify({ name: asked.name, error: objection(asked) }));
}
