package alkcds;

import ca.uhn.fhir.rest.server.RestfulServer;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A HAPI FHIR R4 server on 127.0.0.1 whose database is gone when it ends. For tests only: anybody on
 * this machine may read and write.
 *
 * <p>The first argument is the port, 0 for any free one. When the server answers, the line
 * {@code ready http://127.0.0.1:PORT/fhir} is printed.
 */
public final class HapiServer {
    private HapiServer() {}

    public static void main(String[] arguments) throws Exception {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        AnnotationConfigApplicationContext beans =
                new AnnotationConfigApplicationContext(HapiConfig.class);

        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        server.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler();
        handler.addServlet(new ServletHolder(beans.getBean(RestfulServer.class)), "/fhir/*");
        server.setHandler(handler);
        server.start();

        System.out.println("ready http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
        server.join();
    }
}
