export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12.0.2"
  }
  empty: {
    Tables: {
      [_ in never]: never
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  enums_only: {
    Tables: {
      [_ in never]: never
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      a: "1" | "two"
      a_very_long_name_of_an_enum_that_goes_on_and_on:
        | "a label that is long"
        | "b"
      b: "only"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  public: {
    Tables: {
      built_in: {
        Row: {
          a: unknown
          b: unknown[] | null
          c: unknown
          d: unknown
          e: unknown
          f: unknown
          g: unknown
          h: unknown
          i: unknown
          j: unknown
          k: unknown
          l: unknown
          m: unknown
          n: unknown
          o: unknown
          p: unknown
          q: unknown
          r: string[] | null
          s: string[] | null
          t: string | null
          u: string | null
          v: string[] | null
          w: string[] | null
          x: unknown
          y: unknown
          z: number | null
        }
        Insert: {
          a?: unknown
          b?: unknown[] | null
          c?: unknown
          d?: unknown
          e?: unknown
          f?: unknown
          g?: unknown
          h?: unknown
          i?: unknown
          j?: unknown
          k?: unknown
          l?: unknown
          m?: unknown
          n?: unknown
          o?: unknown
          p?: unknown
          q?: unknown
          r?: string[] | null
          s?: string[] | null
          t?: string | null
          u?: string | null
          v?: string[] | null
          w?: string[] | null
          x?: unknown
          y?: unknown
          z?: number | null
        }
        Update: {
          a?: unknown
          b?: unknown[] | null
          c?: unknown
          d?: unknown
          e?: unknown
          f?: unknown
          g?: unknown
          h?: unknown
          i?: unknown
          j?: unknown
          k?: unknown
          l?: unknown
          m?: unknown
          n?: unknown
          o?: unknown
          p?: unknown
          q?: unknown
          r?: string[] | null
          s?: string[] | null
          t?: string | null
          u?: string | null
          v?: string[] | null
          w?: string[] | null
          x?: unknown
          y?: unknown
          z?: number | null
        }
        Relationships: []
      }
      domains: {
        Row: {
          a: number | null
          b: string
          c: Database["public"]["Enums"]["colour"]
          d: Database["public"]["Enums"]["colour"][] | null
          e: unknown
          f: Database["public"]["CompositeTypes"]["point3"] | null
          g: number | null
          h: string | null
          i: NonNullable<Json>
          j: unknown[] | null
          k: unknown[] | null
          l: unknown[]
        }
        Insert: {
          a?: number | null
          b: string
          c: Database["public"]["Enums"]["colour"]
          d?: Database["public"]["Enums"]["colour"][] | null
          e?: unknown
          f?: Database["public"]["CompositeTypes"]["point3"] | null
          g?: number | null
          h?: string | null
          i: NonNullable<Json>
          j?: unknown[] | null
          k?: unknown[] | null
          l: unknown[]
        }
        Update: {
          a?: number | null
          b?: string
          c?: Database["public"]["Enums"]["colour"]
          d?: Database["public"]["Enums"]["colour"][] | null
          e?: unknown
          f?: Database["public"]["CompositeTypes"]["point3"] | null
          g?: number | null
          h?: string | null
          i?: NonNullable<Json>
          j?: unknown[] | null
          k?: unknown[] | null
          l?: unknown[]
        }
        Relationships: []
      }
      extended: {
        Row: {
          a: string | null
          b: unknown
          c: string | null
          d: string[]
          e: string[] | null
          f: unknown
        }
        Insert: {
          a?: string | null
          b?: unknown
          c?: string | null
          d: string[]
          e?: string[] | null
          f?: unknown
        }
        Update: {
          a?: string | null
          b?: unknown
          c?: string | null
          d?: string[]
          e?: string[] | null
          f?: unknown
        }
        Relationships: []
      }
      mixed: {
        Row: {
          a: Database["public"]["Enums"]["colour"] | null
          b: Database["shared"]["Enums"]["colour"] | null
          c: "black" | 'a "dark" one' | "it's" | null
          d: ("black" | 'a "dark" one' | "it's")[] | null
          e: "x" | "y"
          f:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          g: (
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
          )[]
          h:
            | (
                | "a label of some length"
                | "another label of some length"
                | "yet another label of some length"
              )[]
            | null
          i: "just one" | null
          j: "just one"[] | null
          k: unknown
          l: unknown
          m: unknown[] | null
          n: unknown[][] | null
          o: Database["shared"]["Enums"]["other"] | null
          p: Database["shared"]["Enums"]["other"][] | null
          q: Database["public"]["CompositeTypes"]["point3"][] | null
          r: Database["public"]["CompositeTypes"]["nested"] | null
          s: Database["public"]["CompositeTypes"]["nested"][]
          t: unknown
          u: unknown
          v: unknown
          hidden_arrays_of:
            | (
                | "a label of some length"
                | "another label of some length"
                | "yet another label of some length"
              )[]
            | null
          hidden_of:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
        }
        Insert: {
          a?: Database["public"]["Enums"]["colour"] | null
          b?: Database["shared"]["Enums"]["colour"] | null
          c?: "black" | 'a "dark" one' | "it's" | null
          d?: ("black" | 'a "dark" one' | "it's")[] | null
          e: "x" | "y"
          f?:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          g: (
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
          )[]
          h?:
            | (
                | "a label of some length"
                | "another label of some length"
                | "yet another label of some length"
              )[]
            | null
          i?: "just one" | null
          j?: "just one"[] | null
          k?: unknown
          l?: unknown
          m?: unknown[] | null
          n?: unknown[][] | null
          o?: Database["shared"]["Enums"]["other"] | null
          p?: Database["shared"]["Enums"]["other"][] | null
          q?: Database["public"]["CompositeTypes"]["point3"][] | null
          r?: Database["public"]["CompositeTypes"]["nested"] | null
          s: Database["public"]["CompositeTypes"]["nested"][]
          t?: unknown
          u?: unknown
          v?: unknown
        }
        Update: {
          a?: Database["public"]["Enums"]["colour"] | null
          b?: Database["shared"]["Enums"]["colour"] | null
          c?: "black" | 'a "dark" one' | "it's" | null
          d?: ("black" | 'a "dark" one' | "it's")[] | null
          e?: "x" | "y"
          f?:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          g?: (
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
          )[]
          h?:
            | (
                | "a label of some length"
                | "another label of some length"
                | "yet another label of some length"
              )[]
            | null
          i?: "just one" | null
          j?: "just one"[] | null
          k?: unknown
          l?: unknown
          m?: unknown[] | null
          n?: unknown[][] | null
          o?: Database["shared"]["Enums"]["other"] | null
          p?: Database["shared"]["Enums"]["other"][] | null
          q?: Database["public"]["CompositeTypes"]["point3"][] | null
          r?: Database["public"]["CompositeTypes"]["nested"] | null
          s?: Database["public"]["CompositeTypes"]["nested"][]
          t?: unknown
          u?: unknown
          v?: unknown
        }
        Relationships: []
      }
      rows_of: {
        Row: {
          a: Database["public"]["Tables"]["mixed"]["Row"] | null
          b: Database["public"]["Tables"]["mixed"]["Row"][]
          c: Database["shared"]["Enums"]["colour"] | null
        }
        Insert: {
          a?: Database["public"]["Tables"]["mixed"]["Row"] | null
          b: Database["public"]["Tables"]["mixed"]["Row"][]
          c?: Database["shared"]["Enums"]["colour"] | null
        }
        Update: {
          a?: Database["public"]["Tables"]["mixed"]["Row"] | null
          b?: Database["public"]["Tables"]["mixed"]["Row"][]
          c?: Database["shared"]["Enums"]["colour"] | null
        }
        Relationships: []
      }
    }
    Views: {
      enum_view: {
        Row: {
          a: Database["public"]["Enums"]["colour"] | null
          e: "x" | "y" | null
          f:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          k: unknown
        }
        Insert: {
          a?: Database["public"]["Enums"]["colour"] | null
          e?: "x" | "y" | null
          f?:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          k?: unknown
        }
        Update: {
          a?: Database["public"]["Enums"]["colour"] | null
          e?: "x" | "y" | null
          f?:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
            | null
          k?: unknown
        }
        Relationships: []
      }
    }
    Functions: {
      array_of_hidden: {
        Args: Record<PropertyKey, never>
        Returns: (
          | "a label of some length"
          | "another label of some length"
          | "yet another label of some length"
        )[]
      }
      domain_rows: { Args: Record<PropertyKey, never>; Returns: unknown[] }
      hidden_arrays_of: {
        Args: { "": Database["public"]["Tables"]["mixed"]["Row"] }
        Returns: {
          error: true
        } & "the function public.hidden_arrays_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      hidden_form: {
        Args: { "": unknown }
        Returns: unknown
        SetofOptions: {
          from: "secret.form"
          to: "rows_"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      hidden_of: {
        Args: { "": Database["public"]["Tables"]["mixed"]["Row"] }
        Returns: {
          error: true
        } & "the function public.hidden_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      hidden_rows: {
        Args: Record<PropertyKey, never>
        Returns: unknown[]
        SetofOptions: {
          from: "*"
          to: "rows_"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      of_sequence: { Args: Record<PropertyKey, never>; Returns: unknown[] }
      over_types: {
        Args: {
          c:
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
          d: (
            | "a label of some length"
            | "another label of some length"
            | "yet another label of some length"
          )[]
          e: unknown
          f: unknown
          g: string
          h: unknown
        }
        Returns:
          | "a label of some length"
          | "another label of some length"
          | "yet another label of some length"
      }
      set_of_array_of_hidden: {
        Args: Record<PropertyKey, never>
        Returns: ("x" | "y")[][]
      }
      set_of_hidden: {
        Args: Record<PropertyKey, never>
        Returns:
          | "a label of some length"
          | "another label of some length"
          | "yet another label of some length"[]
      }
      set_of_hidden_short: {
        Args: Record<PropertyKey, never>
        Returns: "x" | "y"[]
      }
      set_of_single: { Args: Record<PropertyKey, never>; Returns: "just one"[] }
    }
    Enums: {
      _other: "p"
      _underscored: "u"
      colour: "red" | "green"
    }
    CompositeTypes: {
      nested: {
        points: Database["public"]["CompositeTypes"]["point3"][] | null
        colour: Database["public"]["Enums"]["colour"] | null
        colours: Database["shared"]["Enums"]["colour"][] | null
        hidden: "x" | "y" | null
        many:
          | (
              | "a label of some length"
              | "another label of some length"
              | "yet another label of some length"
            )[]
          | null
        form: unknown
        j: Json | null
        e: unknown
        n: Database["shared"]["Enums"]["other"] | null
      }
      point3: {
        x: number | null
        y: number | null
        "z z": number | null
      }
    }
  }
  shared: {
    Tables: {
      mixed: {
        Row: {
          a: Database["public"]["Tables"]["mixed"]["Row"] | null
          b: Database["shared"]["Enums"]["colour"] | null
          c: Database["public"]["CompositeTypes"]["point3"] | null
          d: string | null
          e: Database["public"]["Enums"]["colour"] | null
        }
        Insert: {
          a?: Database["public"]["Tables"]["mixed"]["Row"] | null
          b?: Database["shared"]["Enums"]["colour"] | null
          c?: Database["public"]["CompositeTypes"]["point3"] | null
          d?: string | null
          e?: Database["public"]["Enums"]["colour"] | null
        }
        Update: {
          a?: Database["public"]["Tables"]["mixed"]["Row"] | null
          b?: Database["shared"]["Enums"]["colour"] | null
          c?: Database["public"]["CompositeTypes"]["point3"] | null
          d?: string | null
          e?: Database["public"]["Enums"]["colour"] | null
        }
        Relationships: []
      }
      uses: {
        Row: {
          a: Database["shared"]["CompositeTypes"]["point3"] | null
          b: Database["public"]["CompositeTypes"]["point3"] | null
          c: Database["public"]["Tables"]["rows_of"]["Row"] | null
          m: Database["shared"]["Tables"]["mixed"]["Row"] | null
        }
        Insert: {
          a?: Database["shared"]["CompositeTypes"]["point3"] | null
          b?: Database["public"]["CompositeTypes"]["point3"] | null
          c?: Database["public"]["Tables"]["rows_of"]["Row"] | null
          m?: Database["shared"]["Tables"]["mixed"]["Row"] | null
        }
        Update: {
          a?: Database["shared"]["CompositeTypes"]["point3"] | null
          b?: Database["public"]["CompositeTypes"]["point3"] | null
          c?: Database["public"]["Tables"]["rows_of"]["Row"] | null
          m?: Database["shared"]["Tables"]["mixed"]["Row"] | null
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      visible: {
        Args: {
          p: Database["public"]["CompositeTypes"]["point3"]
          t: Database["shared"]["Tables"]["uses"]["Row"]
        }
        Returns: Database["shared"]["CompositeTypes"]["point3"]
        SetofOptions: {
          from: "*"
          to: "point3"
          isOneToOne: true
          isSetofReturn: false
        }
      }
    }
    Enums: {
      colour: "blue"
      other: "o"
    }
    CompositeTypes: {
      point3: {
        x: number | null
      }
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  empty: {
    Enums: {},
  },
  enums_only: {
    Enums: {
      a: ["1", "two"],
      a_very_long_name_of_an_enum_that_goes_on_and_on: [
        "a label that is long",
        "b",
      ],
      b: ["only"],
    },
  },
  public: {
    Enums: {
      _other: ["p"],
      _underscored: ["u"],
      colour: ["red", "green"],
    },
  },
  shared: {
    Enums: {
      colour: ["blue"],
      other: ["o"],
    },
  },
} as const
