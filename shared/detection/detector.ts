import type { Caller } from './audit-call.ts';
import type { CompromiseClass, Finding, ResponseMode, Severity } from './finding.ts';
import type { JudgedCall } from './judged-calls.ts';
import type { DetectorId } from './rule.ts';
import type { Scene } from './scene.ts';

/** One rule of detection: what it looks for, why to believe it, what to do about it. */
export interface Detector {
  id: DetectorId;
  /** Part of a finding's id: raised when the same calls would be judged otherwise. */
  version: number;
  /** One line: what it sees. */
  sees: string;
  /** How it decides. */
  method: string;
  severity: { least: Severity; most: Severity };
  /** Calls of the innocent that look the same, and what to do about each. */
  falsePositives: string[];
  /** What a person does first, in order. */
  runbook: string[];
  response: ResponseMode;
  compromise: CompromiseClass;
  /** MITRE ATT&CK technique ids. */
  techniques: string[];
  evaluate(scene: Scene): Draft[];
}

/** What a detector says; score, severity, id and suppression are the frame's to add. */
export interface Draft {
  /** The calls it speaks of: caller, keys, classes, times and intents follow from them. */
  calls: readonly JudgedCall[];
  /** Where there are no calls, as for silence. */
  who?: string;
  caller?: Caller;
  address?: string;
  keys?: string[];
  from?: string;
  until?: string;
  /** What tells findings of one caller and window apart, `*` unless told; with the caller it is what a repeat shares. */
  subject?: string;
  /** Length of the aligned window, which makes a repeat within it the same finding. */
  windowMinutes: number;
  base: number;
  /** Every call was announced by the journal: the finding is kept, and lowered. */
  explained: boolean;
  /** Too short a history for the method: told as Informational. */
  learning?: boolean;
  /** Evidence that reaches no further by itself, however much its subject weighs. Absent: as far as its detector. */
  most?: Severity;
  /** Scores that speak of the world, not of a call, take no modifiers. */
  plain?: boolean;
  title: string;
  explanation: string;
  nextStep: string;
  facts?: Finding['facts'];
  class?: CompromiseClass;
  response?: ResponseMode;
  assignments?: Finding['assignments'];
  marks?: string[];
  z?: number;
}

/** A number of the policy document. */
export const parameter = (scene: Scene, id: DetectorId, name: string): number => {
  const values: Record<string, number> = scene.rule.detectors[id].parameters;
  const value = values[name];
  if (value === undefined) throw new Error(`no parameter ${name} of ${id}`);
  return value;
};
