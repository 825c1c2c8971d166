import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** A certificate and its key, as PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A value of ASN.1 in DER: tag, length, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length =
    size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** Object identifiers, encoded. */
const identifiers = {
  ecdsaWithSha256: der(0x06, hex("2a8648ce3d040302")),
  commonName: der(0x06, hex("550403")),
  basicConstraints: der(0x06, hex("551d13")),
  subjectAltName: der(0x06, hex("551d11")),
};

/** Signed by itself, for the address 127.0.0.1, until 2049: X.509 of version 3 with a P-256 key. */
export function makeCertificate(): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(identifiers.ecdsaWithSha256);
  const name = sequence(
    der(0x31, sequence(identifiers.commonName, der(0x0c, Buffer.from("streamgauge test")))),
  );
  const publicKeyInfo = publicKey.export({ type: "spki", format: "der" });
  const serial = createHash("sha256").update(publicKeyInfo).digest().subarray(0, 8);
  // A serial number is above 0.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const isAuthority = sequence(der(0x01, hex("ff")));
  const address = sequence(der(0x87, Buffer.from([127, 0, 0, 1])));
  const body = sequence(
    der(0xa0, der(0x02, hex("02"))),
    der(0x02, serial),
    algorithm,
    name,
    sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z"))),
    name,
    publicKeyInfo,
    der(
      0xa3,
      sequence(
        sequence(identifiers.basicConstraints, der(0x01, hex("ff")), der(0x04, isAuthority)),
        sequence(identifiers.subjectAltName, der(0x04, address)),
      ),
    ),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, algorithm, der(0x03, hex("00"), signature));
  return {
    certificate: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function pem(kind: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${kind}-----\n${lines.join("\n")}\n-----END ${kind}-----\n`;
}
