import { graphql } from "../../gql";

/** All that the inventory knows of a dam: for its page, and for files. */
export const WHOLE_DAM = graphql(`
  fragment WholeDam on Dam {
    id
    damId
    name
    otherNames
    owner
    ownerTypes
    river
    dateBuilt
    location {
      latitude
      longitude
    }
    externalId
    structureId
    state
    county
    heightFt
    storageAcreFt
    drainageAreaSqMi
    purposes
    damTypes
    hazard
  }
`);
