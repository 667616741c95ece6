/** One normative statement of a version of MQTT. */
export interface Statement {
  /** As the standard numbers it, without brackets; `MQTT31-…` and `U5-…` where it has no number. */
  readonly id: string;
  readonly section: string;
  /** Whom it binds. Statements that bind clients alone are tested against our own client and tools. */
  readonly who: 'server' | 'client' | 'both';
  /** What it says, in our own words. */
  readonly text: string;
  /** What we do where the statement leaves a choice, or what a violation is answered with. Absent: as stated. */
  readonly ours?: string;
  /** Why nothing can be tested: the statement is about something that we do not have. */
  readonly notApplicable?: string;
}
