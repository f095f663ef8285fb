import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

/**
 * Kafka's command line in one process, one command after the other: a line `CLASS TAB ARGUMENT TAB ...` is answered by a line
 * `STATUS TAB OUTPUT`, both outputs of the tool as base64. Starting a process for each takes longer than what it asks.
 */
public class Tools {
    /** Instead of the end of the process. */
    static class Ended extends RuntimeException {
        final int status;

        Ended(int status) {
            super("status " + status);
            this.status = status;
        }
    }

    public static void main(String[] none) throws Exception {
        Exit.setExitProcedure((status, message) -> {
            if (message != null) System.err.println(message);
            throw new Ended(status);
        });
        PrintStream answers = System.out;
        PrintStream errors = System.err;
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split("\t", -1);
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            PrintStream both = new PrintStream(said, true);
            System.setOut(both);
            System.setErr(both);
            int status = run(words[0], Arrays.copyOfRange(words, 1, words.length));
            System.setOut(answers);
            System.setErr(errors);
            answers.println(status + "\t" + Base64.getEncoder().encodeToString(said.toByteArray()));
            answers.flush();
        }
    }

    private static int run(String name, String[] arguments) throws Exception {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return 0;
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Ended ended) return ended.status;
            thrown.getCause().printStackTrace();
            return 1;
        }
    }
}
