-- What the peers read and write: the same table, by a view without our own columns, and the cap by row lock and count.

CREATE SCHEMA peer;

CREATE VIEW peer.dams AS
SELECT id, name, river, state,
       CASE
           WHEN built_first_day = built_last_day THEN to_char(built_first_day, 'YYYY-MM-DD')
           WHEN date_trunc('month', built_first_day) = date_trunc('month', built_last_day) THEN to_char(built_first_day, 'YYYY-MM')
           ELSE to_char(built_first_day, 'YYYY')
       END AS date_built,
       height_ft, latitude, longitude
  FROM public.dams;

COMMENT ON VIEW peer.dams IS '@primaryKey id';

CREATE FUNCTION peer.dams_in(west float, south float, east float, north float, part text) RETURNS SETOF peer.dams
LANGUAGE sql STABLE AS $$
    SELECT shown.*
      FROM public.dams kept JOIN peer.dams shown USING (id)
     WHERE kept.point && ST_MakeEnvelope(west, south, east, north, 4326)
       AND kept.search_key LIKE '%' || part || '%'
     ORDER BY id
$$;

CREATE FUNCTION peer.dams_of_state(usps text) RETURNS SETOF peer.dams
LANGUAGE sql STABLE AS $$
    SELECT * FROM peer.dams WHERE state = usps ORDER BY id
$$;

CREATE TYPE peer.nearby_dam AS (distance_m float, dam peer.dams);

CREATE FUNCTION peer.nearest_dams(latitude float, longitude float, most integer) RETURNS SETOF peer.nearby_dam
LANGUAGE sql STABLE AS $$
    -- The index orders by distance on a sphere, so some more are taken, and their distance on the ellipsoid decides.
    WITH place AS MATERIALIZED (SELECT ST_SetSRID(ST_MakePoint($2, $1), 4326)::geography AS point),
         near AS (
             SELECT id, point FROM public.dams ORDER BY point::geography <-> (SELECT point FROM place) LIMIT most + 10
         ),
         nearest AS (
             SELECT id, ST_Distance(point::geography, (SELECT point FROM place)) AS metres
               FROM near ORDER BY metres, id LIMIT most
         )
    SELECT metres, shown FROM nearest JOIN peer.dams shown USING (id) ORDER BY metres, id
$$;

CREATE SEQUENCE peer.ids START 1000000000;

-- An exact cap as it is usually done: one row is locked, the dams are counted, and the lock is held until the commit.
CREATE FUNCTION peer.add_dam(
    name text, owner text, river text, built date, latitude float, longitude float
) RETURNS peer.dams
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    cap integer;
    added bigint := nextval('peer.ids');
    shown peer.dams;
BEGIN
    SELECT max_dams INTO cap FROM public.inventory FOR UPDATE;
    IF cap > 0 AND (SELECT count(*) FROM public.dams) >= cap THEN
        RAISE EXCEPTION 'Unable to add dam "%", because the inventory is full.', add_dam.name;
    END IF;
    INSERT INTO public.dams (
        id, name, other_names, owner, owner_types, river, built_first_day, built_last_day, longitude, latitude,
        structure_id, purposes, dam_types, name_key, owner_key, river_key, search_key
    ) VALUES (
        added, add_dam.name, '', add_dam.owner, '', add_dam.river, built, built, add_dam.longitude, add_dam.latitude,
        '', '', '', lower(add_dam.name), lower(add_dam.owner), lower(add_dam.river), lower(add_dam.name || E'\n' || add_dam.river)
    );
    SELECT * INTO shown FROM peer.dams WHERE id = added;
    RETURN shown;
END
$$;
