// Transcripts of a test's own, and reports over them as the command makes them.

import { rm } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { controlsMapping } from "../../../docs/controls-page.ts";
import { collect, type Period } from "../../../src/evidence/collect.ts";
import type { Mapping, Query } from "../../../src/evidence/mapping.ts";
import { reportOf, type EvidenceReport } from "../../../src/evidence/report.ts";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { openIn, temporaryFolder } from "../transcript/support.ts";
import { dayStart } from "../transcript/day.ts";

export const minute = 60_000;
export const march: Period = { from: Date.parse("2026-03-01"), to: Date.parse("2026-04-01") };

/** A state folder whose entries are a minute apart, from the day's beginning on. */
export async function written(appends: readonly (readonly EntryDraft[])[]): Promise<string> {
  const folder = await temporaryFolder();
  let now = dayStart - minute;
  const transcript = await openIn(folder, { now: () => now });
  for (const drafts of appends) {
    now += minute;
    await transcript.append(drafts);
  }
  await transcript.close();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Asked {
  readonly period?: Period;
  readonly wanted?: readonly string[];
  readonly seed?: string;
  readonly mapping?: Mapping;
  readonly now?: number;
}

/** The report that the command would make. */
export async function reportOn(folder: string, asked: Asked = {}): Promise<EvidenceReport> {
  const { period = march, wanted = [], seed = "", mapping = controlsMapping(), now = dayStart + 86_400_000 } = asked;
  const verification = await verifyTranscript(folder, { now });
  const collected = await collect(folder, { period, queries: mapping.queries, size: verification.entries, seed });
  const command = "sallyport evidence report";
  return reportOf({ version: "1.2.3", period, mapping, wanted, seed, command, verification, collected });
}

/** The rows of queries by name. */
export async function rowsOf(folder: string, queries: { readonly [name: string]: Query }, asked: Asked = {}) {
  const { period = march, seed = "" } = asked;
  return await collect(folder, { period, queries, size: Number.MAX_SAFE_INTEGER, seed });
}
