import { graphql } from "../../../gql";

export const CAPACITY = graphql(`
  query Capacity {
    inventory {
      damCount
      maxDams
      remaining
      isFull
      knownOwners
    }
    viewer {
      ...Allowance
    }
  }
`);

export const ROOM = graphql(`
  query Room {
    inventory {
      damCount
      maxDams
      remaining
      isFull
    }
  }
`);

export const OWNER_NAMES = graphql(`
  query OwnerNames($startingWith: String!) {
    ownerNames(startingWith: $startingWith)
  }
`);

export const RIVER_NAMES = graphql(`
  query RiverNames($startingWith: String!) {
    riverNames(startingWith: $startingWith)
  }
`);

export const POSSIBLE_DUPLICATES = graphql(`
  query PossibleDuplicates($latitude: Float!, $longitude: Float!, $name: String) {
    possibleDuplicates(latitude: $latitude, longitude: $longitude, name: $name) {
      distanceM
      nameSimilarity
      dam {
        id
        damId
        name
        river
        dateBuilt
      }
    }
  }
`);

export const ADD_DAM = graphql(`
  mutation AddDam($input: AddDamInput!) {
    addDam(input: $input) {
      dam {
        ...ListedDam
      }
      errors {
        code
        field
        message
      }
      warnings
    }
  }
`);
