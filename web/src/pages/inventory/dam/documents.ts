import { graphql } from "../../../gql";

export const DAM = graphql(`
  query Dam($damId: Int!) {
    dam(damId: $damId) {
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
      history {
        kind
        at
        actor
      }
    }
  }
`);
