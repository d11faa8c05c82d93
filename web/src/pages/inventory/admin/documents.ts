import { graphql } from "../../../gql";

export const CAPS = graphql(`
  query Caps {
    inventory {
      damCount
      maxDams
      maxDamsPerUser
    }
  }
`);

export const UPDATE_INVENTORY = graphql(`
  mutation UpdateInventory($input: UpdateInventoryInput!) {
    updateInventory(input: $input) {
      inventory {
        damCount
        maxDams
        maxDamsPerUser
        remaining
        isFull
      }
      errors {
        ...UserProblem
      }
    }
  }
`);

export const HEALTH = graphql(`
  query Health {
    subscriptionHealth {
      isLive
      medianLagMs
      openSubscriptions
      groups
    }
  }
`);

graphql(`
  fragment ListedUser on User {
    id
    name
    groups
    ownMaxDams
    issuer
    isDisabled
    quota {
      maxDams
      used
      remaining
    }
  }
`);

export const USERS = graphql(`
  query Users($after: String) {
    users(first: 50, after: $after) {
      edges {
        cursor
        node {
          ...ListedUser
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const SET_USER_QUOTA = graphql(`
  mutation SetUserQuota($input: SetUserQuotaInput!) {
    setUserQuota(input: $input) {
      user {
        ...ListedUser
      }
      errors {
        ...UserProblem
      }
    }
  }
`);

export const SET_USER_GROUPS = graphql(`
  mutation SetUserGroups($input: SetUserGroupsInput!) {
    setUserGroups(input: $input) {
      user {
        ...ListedUser
      }
      errors {
        ...UserProblem
      }
    }
  }
`);

export const SET_USER_DISABLED = graphql(`
  mutation SetUserDisabled($input: SetUserDisabledInput!) {
    setUserDisabled(input: $input) {
      user {
        ...ListedUser
      }
      errors {
        ...UserProblem
      }
    }
  }
`);

graphql(`
  fragment ListedToken on ApiToken {
    id
    name
    user
    scopes
    createdAt
    expiresAt
    revokedAt
    isSession
  }
`);

export const TOKENS = graphql(`
  query Tokens($after: String) {
    apiTokens(first: 50, after: $after, everyone: true) {
      edges {
        cursor
        node {
          ...ListedToken
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const CREATE_TOKEN = graphql(`
  mutation CreateToken($input: CreateTokenInput!) {
    createToken(input: $input) {
      secret
      token {
        ...ListedToken
      }
      errors {
        ...UserProblem
      }
    }
  }
`);

export const REVOKE_TOKEN = graphql(`
  mutation RevokeToken($input: RevokeTokenInput!) {
    revokeToken(input: $input) {
      revokedId
      errors {
        ...UserProblem
      }
    }
  }
`);
