import type { Scene } from '../visit.ts'

/** Lets everybody try as often as they like: what the limits do is told in tests of their own. */
export const unlimited = ({ owner }: Scene) =>
  owner.raw(`
    create function portal_jobs.forget() returns trigger language plpgsql as $$ begin new.points := 0; return new; end $$;
    create trigger forget before insert or update on portal_jobs.limits
      for each row execute function portal_jobs.forget();`)
