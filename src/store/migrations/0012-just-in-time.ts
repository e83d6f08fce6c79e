import type { Migration } from './migration.ts';

/**
 * Who spoke for a subject by a sign-in, beside those who spoke by a call: a table of its own, so that noting a caller
 * stays one insert that mostly finds its row.
 */
export const justInTime: Migration = {
  name: '0012-just-in-time',
  statements: [
    'create table subject_sign_ins (subject_id $text not null, sp_id $int not null, primary key (subject_id, sp_id))$rowless',
  ],
};
