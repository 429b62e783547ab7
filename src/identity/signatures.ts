// Checking signatures with jose, for whoever holds an issuer's keys.

import { compactVerify, importJWK, type CryptoKey } from "jose";
import { signaturesBy, type Signatures } from "./signed.ts";

/** A public key as jose holds it. */
export type SigningKey = CryptoKey;

export const signatures: Signatures<CryptoKey> = signaturesBy<CryptoKey>({ importJWK, compactVerify });
