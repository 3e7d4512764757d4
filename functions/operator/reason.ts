import * as z from 'zod';

const RULE = 'must say why, in 3 to 500 characters';

/** Why a person asks for something; journaled. */
export const reason = z.string({ error: RULE }).trim().min(3, RULE).max(500, RULE);
