import { ApolloProvider } from "@apollo/client/react";
import { connect } from "../../apollo/connect";
import { HTTP_URL, WS_URL } from "../../graphql/endpoint";
import { mount } from "../../mount";
import { Home } from "./Home";
import "../../base.css";
import "./home.css";

const { client, socket } = connect({ http: HTTP_URL, ws: WS_URL });

mount(
  <ApolloProvider client={client}>
    <Home status={socket.status} />
  </ApolloProvider>,
);
